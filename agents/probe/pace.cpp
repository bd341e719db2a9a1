// Delays with jitter.
#include "agents/probe/pace.hpp"

#include <algorithm>

#include "weft/base/hash.hpp"

namespace weft::probe {

namespace {
Duration times(Duration duration, double factor) noexcept {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::nano>(duration) * factor);
}
}  // namespace

Duration Pace::first() noexcept { return times(std::min(period_, kStartWithin), unit()); }

Duration Pace::next(Duration since) noexcept {
  return std::max(times(period_, 1 - kJitter + 2 * kJitter * unit()) - since, Duration::zero());
}

/// Uniform in [0, 1).
double Pace::unit() noexcept {
  const std::uint64_t mixed = splitmix64(state_);
  state_ += kGoldenRatio;
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

}  // namespace weft::probe
