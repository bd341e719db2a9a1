#include "weft/actor/runtime/stopping.hpp"

namespace weft::actor {

Stopping::Stopping(Runtime& runtime, Duration budget) : runtime_(runtime) {
  // The process's own clock, not the scheduler's: a virtual clock does not move during a shutdown.
  const TimePoint now = SystemClock().now();
  drained_by_ = now + budget * 4 / 5;  // the rest is for the handlers that still run
  in_order_by_ = now + budget * 9 / 10;
  stopped_by_ = now + budget;
  lost_before_ = runtime_.lost();
  runtime_.refuse_new();
}

bool Stopping::step() {
  const TimePoint now = SystemClock().now();
  if (runtime_.all_stopped()) phase_ = Phase::done;
  switch (phase_) {
    case Phase::drain: {
      std::uint64_t activity = 0;
      const bool quiet = runtime_.quiet(activity);
      const bool still = quiet && activity == std::exchange(last_activity_, quiet ? activity : UINT64_MAX);
      if (!still && now < drained_by_) return false;
      phase_ = Phase::stop_in_order;
      lost_before_ = runtime_.lost();
      runtime_.stop_all(true);
      return false;
    }
    case Phase::stop_in_order:
      if (now < in_order_by_) return false;
      phase_ = Phase::stop;
      runtime_.stop_all(false);
      return false;
    case Phase::stop:
      if (now >= stopped_by_) phase_ = Phase::done;
      return phase_ == Phase::done;
    case Phase::done:
      return true;
  }
  return true;
}

bool Stopping::hurry() {
  if (phase_ == Phase::drain) {
    drained_by_ = {};
  } else if (phase_ == Phase::stop_in_order) {
    in_order_by_ = {};
  } else {
    return false;
  }
  return true;
}

ShutdownReport Stopping::report() {
  ShutdownReport report = runtime_.report();
  report.undelivered += runtime_.lost() - lost_before_;
  return report;
}

}  // namespace weft::actor
