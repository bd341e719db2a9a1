// Delays with jitter.
#include "agents/probe/pace.hpp"

#include <algorithm>

namespace weft::probe {

namespace {
Duration times(Duration duration, double factor) noexcept {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::nano>(duration) * factor);
}
}  // namespace

Duration Pace::first() noexcept { return times(std::min(period_, start_within), unit()); }

Duration Pace::next(Duration since) noexcept {
  return std::max(times(period_, 1 - jitter + 2 * jitter * unit()) - since, Duration::zero());
}

/// Uniform in [0, 1). SplitMix64 (Steele, Lea and Flood 2014): seeds that lie next to each other give unlike numbers.
double Pace::unit() noexcept {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

}  // namespace weft::probe
