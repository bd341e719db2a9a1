#include "cli/queues.hpp"

#include <algorithm>

#include "weft/base/target.hpp"
#include "weft/base/text.hpp"
#include "weft/queue/queue.hpp"

namespace weft::cli {
namespace {

observe::LogOptions quiet() {
  observe::LogOptions options;
  options.level = observe::Level::fatal;
  return options;
}

queue::Options options_of(Session& session) {
  queue::Options options;
  options.agent = "weft";
  options.instance = session.mesh().peer().options().instance.to_string();
  return options;
}

}  // namespace

std::vector<wire::InstanceRecord> keepers(Session& session) {
  std::vector<wire::InstanceRecord> out;
  for (const auto* record : session.mesh().directory().all()) {
    const auto& methods = record->methods;
    if (std::any_of(methods.begin(), methods.end(), [](const auto& method) { return method.name == "_queues"; }))
      out.push_back(*record);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.host, a.agent, a.instance) < std::tie(b.host, b.agent, b.instance);
  });
  return out;
}

Result<void> check_queue(Session& session, const std::string& name) {
  const auto parts = split_target(name);
  const std::string agent(parts.agent), method(parts.method);
  const auto& directory = session.mesh().directory();
  const auto records = directory.instances(agent);
  if (records.empty())
    return Error(codes::unknown_agent,
                 "no agent '" + agent + "' is in the mesh" + did_you_mean(agent, directory.agent_names()),
                 "'weft list' shows who is");
  std::vector<std::string_view> queues;
  for (const auto* record : records) {
    for (const auto& served : record->methods) {
      if (served.kind == "queue") queues.push_back(served.name);
    }
  }
  if (std::find(queues.begin(), queues.end(), method) != queues.end()) return {};
  return Error(codes::no_such_method,
               "agent '" + agent + "' works on no queue '" + method + "'" + did_you_mean(method, queues),
               "weft info " + agent + " lists its methods");
}

struct CommandQueues::Impl {
  explicit Impl(Session& session)
      : log_(quiet()), queues_(session.loop(), session.mesh(), options_of(session), metrics_, log_) {}

  observe::Metrics metrics_;
  observe::Log log_;
  queue::Queues queues_;
};

CommandQueues::CommandQueues(Session& session) : impl_(std::make_unique<Impl>(session)) {}
CommandQueues::~CommandQueues() = default;
queue::Queues& CommandQueues::queues() noexcept { return impl_->queues_; }

Task<Result<wire::Payload>> ask_keeper(Session& session, const wire::InstanceRecord& record, const char* method,
                                       wire::Payload request) {
  calls::CallOptions options(session.global().timeout);
  options.instance = record.instance.to_string();
  const std::string target = record.agent + "." + method;
  auto answer = co_await session.mesh().call(target, std::move(request), options);
  if (answer) co_return answer;
  Error error = answer.error();
  error.message = record.agent + "@" + record.host + ": " + error.message;
  co_return error;
}

}  // namespace weft::cli
