// What the verbs about work queues share: the processes that keep queues, and asking each of them.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "weft/queue/messages.hpp"
#include "weft/queue/queue.hpp"

namespace weft::cli {

/// Every live process that has queues, by host and agent.
inline std::vector<wire::InstanceRecord> keepers(Session& session) {
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

/// Errors: `unknown_agent`: nobody is there who could work on it; `no_such_method`: those who are there do not.
inline Result<void> check_queue(Session& session, const std::string& name) {
  const auto dot = name.find('.');
  const std::string agent = name.substr(0, dot), method = name.substr(dot + 1);
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

/// The queues of a command that is itself a producer: in memory, and gone with it.
class CommandQueues {
 public:
  explicit CommandQueues(Session& session)
      : log_(quiet()), queues(session.loop(), session.mesh(), options(session), metrics_, log_) {}

 private:
  static observe::LogOptions quiet() {
    observe::LogOptions options;
    options.level = observe::Level::fatal;
    return options;
  }
  static queue::Options options(Session& session) {
    queue::Options options;
    options.agent = "weft";
    options.instance = session.mesh().peer().options().instance.to_string();
    return options;
  }
  observe::Metrics metrics_;
  observe::Log log_;

 public:
  queue::Queues queues;
};

/// `method` of that process. The error names it.
template <class Reply, class Request>
Task<Result<Reply>> ask_keeper(Session& session, const wire::InstanceRecord& record, const char* method,
                               const Request& request) {
  calls::CallOptions options(session.global().timeout);
  options.instance = record.instance.to_string();
  const std::string target = record.agent + "." + method;
  wire::Payload payload = wire::Payload::of(request);
  auto answer = co_await session.mesh().call(target, std::move(payload), options);
  if (answer) co_return answer->template as<Reply>();
  Error error = answer.error();
  error.message = record.agent + "@" + record.host + ": " + error.message;
  co_return error;
}

}  // namespace weft::cli
