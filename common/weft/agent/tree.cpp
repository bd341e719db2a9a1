#include "weft/agent/tree_of.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace weft {
namespace {

constexpr int kLevelsMax = 1000;

/// At most `limit`, nearest to the root first, so that none comes without its parent; of one level what is not well.
std::vector<actor::ActorInfo> first_of(std::vector<actor::ActorInfo> all, std::size_t limit) {
  if (all.size() <= limit) return all;
  std::unordered_map<std::uint64_t, std::uint64_t> parents;
  for (const auto& info : all) parents.emplace(info.address.id(), info.parent);
  std::vector<std::pair<int, std::size_t>> order;
  for (std::size_t i = 0; i < all.size(); ++i) {
    int level = 0;
    for (auto up = parents.find(all[i].parent); up != parents.end() && level < kLevelsMax; ++level)
      up = parents.find(up->second);
    const bool well = all[i].state == actor::State::running && all[i].restarts == 0;
    order.emplace_back(2 * level + (well ? 1 : 0), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<actor::ActorInfo> first;
  for (std::size_t i = 0; i < limit; ++i) first.push_back(std::move(all[order[i].second]));
  return first;
}

}  // namespace

TreeReply tree_of(const actor::System& system, std::uint64_t limit) {
  const auto totals = system.totals();
  TreeReply reply;
  reply.live = totals.actors;
  reply.failures = totals.failures;
  reply.restarts = totals.restarts;
  for (const auto reason : {actor::Drop::no_such_actor, actor::Drop::stopped, actor::Drop::unhandled}) {
    reply.dead_letters += totals.dropped[static_cast<std::size_t>(reason)];
  }
  for (const auto& info : first_of(system.snapshot(), std::min(limit, TreeRequest::kLimitMax))) {
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
