// The answer of <agent>._tree: the live supervision tree of an agent. Shared with the command.
#pragma once
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft {

struct TreeRequest {
  static constexpr std::uint64_t kLimitMax = 100'000;
  std::uint64_t limit = 10'000;  ///< actors at most
  WEFT_FIELDS(TreeRequest, limit)
};
struct TreeActor {
  std::uint64_t id = 0, parent = 0;  ///< parent 0: the root
  std::string name, type, state;
  bool supervisor = false, busy = false;
  std::uint64_t restarts = 0, depth = 0, capacity = 0;  ///< restarts 255: or more; capacity 0: unbounded
  std::uint64_t received = 0, sent = 0, dropped = 0;
  std::int64_t oldest_ms = 0;  ///< age of the oldest message that waits or is in hand
  WEFT_FIELDS(TreeActor, id, parent, name, type, state, supervisor, busy, restarts, depth, capacity, received, sent,
              dropped, oldest_ms)
};
struct TreeReply {
  std::string agent, host, scheduler;  ///< "loop", or "4 workers"
  std::uint64_t live = 0;              ///< all actors, also those beyond the limit
  std::uint64_t failures = 0, restarts = 0, dead_letters = 0;
  std::vector<TreeActor> actors;
  WEFT_FIELDS(TreeReply, agent, host, scheduler, live, failures, restarts, dead_letters, actors)
};

}  // namespace weft
