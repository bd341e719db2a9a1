#include "weft/agent/tree_of.hpp"

#include <algorithm>
#include <numeric>

namespace weft {

TreeReply tree_of(const actor::System& system, std::uint64_t limit) {
  const auto totals = system.totals();
  TreeReply reply;
  reply.live = totals.actors;
  reply.failures = totals.failures;
  reply.restarts = totals.restarts;
  for (const auto reason : {actor::Drop::no_such_actor, actor::Drop::stopped, actor::Drop::unhandled}) {
    reply.dead_letters += totals.dropped[static_cast<std::size_t>(reason)];
  }
  for (const auto& info : system.snapshot(std::min(limit, TreeRequest::limit_max))) {
    TreeActor out;
    out.id = info.address.id();
    out.parent = info.parent;
    out.name = info.name;
    out.type = info.type;
    out.state = to_string(info.state);
    out.supervisor = info.supervisor;
    out.busy = info.busy;
    out.restarts = info.restarts;
    out.depth = info.depth;
    out.capacity = info.capacity;
    out.received = info.received;
    out.sent = info.sent;
    out.dropped = std::accumulate(info.dropped.begin(), info.dropped.end(), std::uint64_t{0});
    out.oldest_ms = std::chrono::duration_cast<std::chrono::milliseconds>(info.oldest).count();
    reply.actors.push_back(std::move(out));
  }
  return reply;
}

}  // namespace weft
