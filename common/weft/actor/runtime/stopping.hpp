// A shutdown in steps: drain, stop, report. Private to actor.
#pragma once
#include "weft/actor/runtime/runtime.hpp"

namespace weft::actor {

class Stopping {
 public:
  Stopping(Runtime& runtime, Duration budget);
  /// Call it again and again until it is true.
  bool step();
  /// No actor makes progress: gives up the rest of the drain or of the order. False if nothing is left.
  bool hurry();
  ShutdownReport report();

 private:
  enum class Phase : std::uint8_t { drain, stop_in_order, stop, done };
  Runtime& runtime_;
  TimePoint drained_by_, in_order_by_, stopped_by_;
  Phase phase_ = Phase::drain;
  std::uint64_t last_activity_ = UINT64_MAX;
  std::uint64_t lost_before_ = 0;
};

}  // namespace weft::actor
