// TargetActor: the actor of one target: checks it at its pace, and when asked to. What a check throws is a failure of
// this actor, and of no other.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "agents/probe/board.hpp"
#include "agents/probe/gate.hpp"
#include "agents/probe/pace.hpp"

namespace weft::probe {

/// What all targets share.
struct Plan {
  /// Whether the target answers as wanted. Runs in the turns of the target's actor, and goes on there.
  using Check = std::function<Task<Result<void>>(std::shared_ptr<const Target> target)>;
  Targets targets;
  Check check;
  actor::Ref<Gate> gate;
  actor::Ref<Board> board;
  std::uint64_t seed = 0;
};

/// One check at a time; another that is wanted meanwhile waits. The board keeps the target's status, so that the counts
/// outlive a restart and nothing is held twice.
class TargetActor {
 public:
  struct Check {};
  struct CheckNow {};
  using Messages = actor::Handles<Check, CheckNow>;

  TargetActor(std::shared_ptr<const Plan> plan, std::uint32_t index);
  void pre_start(actor::Context& context);
  Task<void> on(Check, actor::Context& context);
  Task<Result<Finding>> on(CheckNow, actor::Context& context);

 private:
  Task<void> check_on_time(Result<Permit> permit, actor::Context& context);
  Task<Result<Finding>> check(Result<Permit> permit, actor::Context& context);

  std::shared_ptr<const Plan> plan_;
  Standing standing_;
  Pace pace_;
  std::uint32_t index_;
};

}  // namespace weft::probe
