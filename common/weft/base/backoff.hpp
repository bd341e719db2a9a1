// Backoff: how long to wait before the next of several attempts in a row. Pure.
#pragma once
#include <algorithm>
#include <cstdint>

#include "weft/base/clock.hpp"
#include "weft/base/random.hpp"

namespace weft {

/// `base` * 2^n, at most `max`; does not overflow for any n. Zero unless both are above zero.
constexpr Duration doubled(Duration base, std::uint64_t n, Duration max) noexcept {
  if (base <= Duration::zero() || max <= Duration::zero()) return Duration::zero();
  Duration delay = std::min(base, max);
  for (; n > 0 && delay < max; --n) delay = delay > max / 2 ? max : delay * 2;
  return delay;
}

/// Exponential backoff: the first delay is `min`, each later one twice the one before, at most `max`. A value.
class Backoff {
 public:
  constexpr Backoff(Duration min, Duration max) noexcept : min_(min), max_(max), next_(std::min(min, max)) {}

  /// The delay before the next attempt.
  constexpr Duration next() noexcept {
    const Duration delay = next_;
    next_ = doubled(next_, 1, max_);
    return delay;
  }
  /// The same, less a random part of it, so that callers that failed together do not return together. `jitter` is that
  /// part at most, 0 to 1.
  Duration next(double jitter, Random& random) noexcept { return jittered(next(), jitter, random.unit()); }
  /// Called after a success: the next delay is `min` again.
  constexpr void reset() noexcept { next_ = std::min(min_, max_); }

  /// `delay` less the part `jitter` * `chance` of it; `chance` is in [0, 1).
  static constexpr Duration jittered(Duration delay, double jitter, double chance) noexcept {
    return Duration(static_cast<std::int64_t>(static_cast<double>(delay.count()) * (1 - jitter * chance)));
  }

 private:
  Duration min_, max_, next_;
};

}  // namespace weft
