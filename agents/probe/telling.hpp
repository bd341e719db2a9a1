// Telling: what the mesh gets to know of a check: metrics, an event, a report of a change.
#pragma once
#include <optional>
#include <vector>

#include "agents/probe/board.hpp"
#include "weft/agent/agent.hpp"

namespace weft::probe {

/// Made on the loop; called in the turns of one actor, which thereby is the only writer of these metrics.
class Telling {
 public:
  Telling(Agent& agent, Targets targets, bool each);
  void operator()(std::uint32_t target, const Finding& finding, const std::optional<Change>& change);

 private:
  void tell_change(const Target& target, const Finding& finding, const Change& change);

  Agent& agent_;
  Targets targets_;
  bool each_;  // finding is published, not only changes
  observe::Counter &good_, &bad_;
  observe::Histogram& latency_;
  std::vector<observe::Gauge*> up_;
};

}  // namespace weft::probe
