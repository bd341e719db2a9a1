#include "node/service.hpp"

#include <algorithm>

#include "node/log_files.hpp"
#include "node/messages.hpp"
#include "node/ps_rows.hpp"

namespace weft::node {
namespace {

using calls::Call;
using wire::Payload;
using Answer = Task<Result<Payload>>;

constexpr std::uint64_t kLinesMax = 100'000;

class NodeService {
 public:
  NodeService(Supervisor& supervisor, Loop& loop, std::string mesh, std::string host, std::string own_log)
      : supervisor_(supervisor),
        loop_(loop),
        mesh_(std::move(mesh)),
        host_(std::move(host)),
        own_log_(std::move(own_log)) {}

  Answer ps(Call&) { co_return Payload::of(ps_reply(supervisor_, mesh_, host_, loop_.clock())); }
  Answer restart(Call& call) {
    auto request = call.payload().as<AgentRequest>();
    if (!request) co_return request.error();
    auto done = co_await supervisor_.restart_one(request->agent);
    if (!done) co_return done.error();
    co_return row(request->agent);
  }
  Answer stop(Call& call) {
    auto request = call.payload().as<AgentRequest>();
    if (!request) co_return request.error();
    auto done = co_await supervisor_.stop_one(request->agent);
    if (!done) co_return done.error();
    co_return row(request->agent);
  }
  Answer start(Call& call) {
    auto request = call.payload().as<AgentRequest>();
    if (!request) co_return request.error();
    auto done = supervisor_.start_one(request->agent);
    if (!done) co_return done.error();
    co_return row(request->agent);
  }
  Answer logs(Call& call) {
    auto request = call.payload().as<LogsRequest>();
    if (!request) co_return request.error();
    auto file = log_of(request->agent);
    if (!file) co_return file.error();
    const auto page = request->offset < 0
                          ? log_tail(*file, static_cast<std::size_t>(std::min(request->lines, kLinesMax)))
                          : log_from(*file, static_cast<std::uint64_t>(request->offset));
    co_return Payload::of(LogsReply{page.text, static_cast<std::int64_t>(page.next_offset)});
  }

 private:
  Payload row(const std::string& agent) const {
    return Payload::of(row_of(*std::as_const(supervisor_).find(agent), loop_.clock()));
  }
  Result<std::string> log_of(const std::string& agent) const {
    if (agent == "node") return own_log_;
    std::vector<std::string_view> known{"node"};
    for (const auto& child : supervisor_.children()) {
      if (child->unit().name == agent) return child->unit().command.log;
      known.push_back(child->unit().name);
    }
    return Error(codes::unknown_agent, "no agent '" + agent + "' on host '" + host_ + "'" + did_you_mean(agent, known));
  }

  Supervisor& supervisor_;
  Loop& loop_;
  std::string mesh_, host_, own_log_;
};

}  // namespace

void serve_node(mesh::Mesh& mesh, Supervisor& supervisor, Loop& loop, const std::string& mesh_name,
                const std::string& host, const std::string& own_log, std::function<void()> shut_down) {
  auto service = std::make_shared<NodeService>(supervisor, loop, mesh_name, host, own_log);
  const auto serve = [&](std::string name, std::string summary, Answer (NodeService::*method)(Call&)) {
    mesh.serve({std::move(name), std::move(summary)},
               [service, method](Call& call) { return ((*service).*method)(call); });
  };
  serve("ps", "the processes of this host", &NodeService::ps);
  serve("restart", "stops an agent and starts it again", &NodeService::restart);
  serve("stop", "stops an agent; it stays down", &NodeService::stop);
  serve("start", "starts an agent that is down", &NodeService::start);
  serve("logs", "the end of an agent's log, or what came since", &NodeService::logs);
  mesh.serve({"shutdown", "stops every process of this host, and the node"},
             [&loop, shut_down = std::move(shut_down)](Call&) -> Answer {
               loop.after(50ms, [shut_down] { shut_down(); });  // the answer goes first
               co_return Payload::of(Value());
             });
}

}  // namespace weft::node
