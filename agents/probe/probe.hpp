// Probe: checks TCP and HTTP targets, each in an actor of its own, publishes what it finds, and reports changes.
#pragma once
#include <string>
#include <vector>

#include "agents/probe/board.hpp"
#include "agents/probe/gate.hpp"
#include "weft/agent/agent.hpp"

namespace weft::probe {

struct Settings {
  std::vector<TargetSettings> targets;
  Duration period = 10s, timeout = 2s;
  std::int64_t rise = 2, fall = 2;
  Severity severity = Severity::error;
  std::string publish = "each";  ///< or "change"
  std::int64_t concurrent = 32;
  WEFT_FIELDS(Settings, targets, period, timeout, rise, fall, severity, publish, concurrent)
};

/// Its actors: "gate", "board", and under the supervisor "targets" one "target/<name>" each.
class Probe {
 public:
  Probe(Settings settings, Agent& agent);

 private:
  void start_actors();
  void start_targets(actor::Ref<Gate> gate);
  void serve();
  Task<Result<Finding>> check_now(std::string name, Duration patience);

  Settings settings_;
  Agent& agent_;
  Targets targets_;
  actor::Ref<Board> board_;
  std::int64_t asked_ = 0;  // checks that a caller waits for
};

}  // namespace weft::probe
