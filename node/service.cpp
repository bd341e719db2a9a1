#include "node/service.hpp"

#include <algorithm>

#include "node/log_files.hpp"
#include "node/messages.hpp"
#include "node/ps_rows.hpp"

namespace weft::node {
namespace {

constexpr std::uint64_t kLinesMax = 100'000;
constexpr Duration kReopenWithin = 3s, kReopenPause = 50ms;

class NodeService {
 public:
  NodeService(Supervisor& supervisor, Loop& loop, ServedHost host, NodeActions actions)
      : supervisor_(supervisor), loop_(loop), host_(std::move(host)), actions_(std::move(actions)) {}

  PsReply ps() const {
    auto reply = ps_reply(supervisor_, host_.mesh, host_.host, loop_.clock());
    reply.fleet = host_.fleet;
    return reply;
  }
  Task<Result<ProcessRow>> restart(AgentRequest request) {
    auto done = co_await supervisor_.restart_one(request.agent);
    if (!done) co_return done.error();
    co_return row(request.agent);
  }
  Task<Result<ProcessRow>> stop(AgentRequest request) {
    auto done = co_await supervisor_.stop_one(request.agent);
    if (!done) co_return done.error();
    co_return row(request.agent);
  }
  Result<ProcessRow> start(const AgentRequest& request) {
    auto done = supervisor_.start_one(request.agent);
    if (!done) return done.error();
    return row(request.agent);
  }
  Result<LogsReply> logs(LogsRequest request) const {
    auto file = log_of(request.agent);
    if (!file) return file.error();
    const auto number = file_number(*file);
    if (request.offset > 0 && request.file != 0 && request.file != number) request.offset = 0;
    const auto page = request.offset < 0 ? log_tail(*file, static_cast<std::size_t>(std::min(request.lines, kLinesMax)))
                                         : log_from(*file, static_cast<std::uint64_t>(request.offset));
    return LogsReply{page.text, static_cast<std::int64_t>(page.next_offset), number};
  }
  /// Programs with Weft's library find out by themselves, within a second; others may do so on a signal of their own.
  Task<Result<ReopenReply>> reopen_logs(ReopenRequest request) {
    std::vector<std::string> names = std::move(request.agents);
    if (names.empty()) {
      names.emplace_back("node");
      for (const auto& child : supervisor_.children()) names.push_back(child->unit().name);
    }
    for (const auto& name : names) {
      if (auto file = log_of(name); !file) co_return file.error();
    }
    const auto end = loop_.now() + kReopenWithin;
    ReopenReply reply = reopened(names);
    const auto done = [](const ReopenedLog& log) { return log.reopened; };
    while (!std::all_of(reply.logs.begin(), reply.logs.end(), done) && loop_.now() < end) {
      co_await sleep_for(loop_, kReopenPause);
      reply = reopened(names);
    }
    co_return reply;
  }

 private:
  ProcessRow row(const std::string& agent) const {
    return row_of(*std::as_const(supervisor_).find(agent), loop_.clock());
  }
  ReopenReply reopened(const std::vector<std::string>& names) const {
    ReopenReply reply;
    for (const auto& name : names) {
      if (name == "node") {
        actions_.reopen_log();
        reply.logs.push_back({name, true, ""});
        continue;
      }
      const Child* child = std::as_const(supervisor_).find(name);
      if (child == nullptr || !child->has_process()) continue;
      const auto pid = child->status().process.pid;
      const bool done = writes_to(pid, child->unit().command.log);
      reply.logs.push_back({name, done,
                            done ? ""
                                 : "process " + std::to_string(pid) + " does not open its log again: rotate " +
                                       child->unit().command.log + " with copytruncate, or restart it"});
    }
    return reply;
  }
  Result<std::string> log_of(const std::string& agent) const {
    if (agent == "node") return host_.log;
    std::vector<std::string_view> known{"node"};
    for (const auto& child : supervisor_.children()) {
      if (child->unit().name == agent) return child->unit().command.log;
      known.push_back(child->unit().name);
    }
    return Error(codes::unknown_agent,
                 "no agent '" + agent + "' on host '" + host_.host + "'" + did_you_mean(agent, known));
  }

  Supervisor& supervisor_;
  Loop& loop_;
  ServedHost host_;
  NodeActions actions_;
};

}  // namespace

void serve_node(mesh::Mesh& mesh, Supervisor& supervisor, Loop& loop, ServedHost host, NodeActions actions) {
  auto shut_down = actions.shut_down;
  auto service = std::make_shared<NodeService>(supervisor, loop, std::move(host), std::move(actions));
  peer::serve<Value>(mesh, {"ps", "the processes of this host"},
                     [service](const Value&) { return Result<PsReply>(service->ps()); });
  peer::serve<AgentRequest>(mesh, {"restart", "stops an agent and starts it again"},
                            [service](AgentRequest request) { return service->restart(std::move(request)); });
  peer::serve<AgentRequest>(mesh, {"stop", "stops an agent; it stays down"},
                            [service](AgentRequest request) { return service->stop(std::move(request)); });
  peer::serve<AgentRequest>(mesh, {"start", "starts an agent that is down"},
                            [service](const AgentRequest& request) { return service->start(request); });
  peer::serve<LogsRequest>(mesh, {"logs", "the end of an agent's log, or what came since"},
                           [service](LogsRequest request) { return service->logs(std::move(request)); });
  peer::serve<ReopenRequest>(mesh, {"reopen_logs", "waits until renamed log files are opened again"},
                             [service](ReopenRequest request) { return service->reopen_logs(std::move(request)); });
  peer::serve<Value>(mesh, {"shutdown", "stops every process of this host, and the node"},
                     [&loop, shut_down = std::move(shut_down)](const Value&) {
                       loop.after(50ms, [shut_down] { shut_down(); });  // the answer goes first
                       return Result<void>();
                     });
}

}  // namespace weft::node
