#include "weft/actor/stopping.hpp"

namespace weft::actor {
namespace {

std::uint64_t lost(const Runtime& runtime) { return runtime.totals().dropped[static_cast<std::size_t>(Drop::stopped)]; }

}  // namespace

Stopping::Stopping(Runtime& runtime, Duration budget) : runtime_(runtime) {
  // Wall time of the process, not the scheduler's: a virtual clock stands still meanwhile.
  const TimePoint now = SystemClock().now();
  drained_by_ = now + budget * 4 / 5;  // the rest is for the handlers that still run
  stopped_by_ = now + budget;
  runtime_.refuse_new();
}

bool Stopping::step() {
  const TimePoint now = SystemClock().now();
  if (phase_ == Phase::drain) {
    std::uint64_t activity = 0;
    const bool quiet = runtime_.quiet(activity);
    const bool still = quiet && activity == std::exchange(last_activity_, quiet ? activity : UINT64_MAX);
    if (!still && now < drained_by_ && !runtime_.all_stopped()) return false;
    phase_ = Phase::stop;
    lost_before_ = lost(runtime_);
    runtime_.stop_all();
    return false;
  }
  if (phase_ == Phase::stop && (runtime_.all_stopped() || now >= stopped_by_)) phase_ = Phase::done;
  return phase_ == Phase::done;
}

ShutdownReport Stopping::report() {
  ShutdownReport report = runtime_.report();
  report.undelivered = lost(runtime_) - lost_before_;
  return report;
}

}  // namespace weft::actor
