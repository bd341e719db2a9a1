// Pace: when one target is due, with jitter so that targets do not march in step. Pure.
#pragma once
#include <cstdint>

#include "weft/base/base.hpp"

namespace weft::probe {

/// 16 bytes, as each target has one. The same seed gives the same delays.
class Pace {
 public:
  static constexpr double kJitter = 0.1;         ///< of a period, to both sides
  static constexpr Duration kStartWithin = 10s;  ///< the first check of each, or its period if shorter

  Pace(Duration period, std::uint64_t seed) noexcept : period_(period), state_(seed) {}
  /// Until the first check.
  Duration first() noexcept;
  /// From now to the next check, a period after the last one began; 0 when that is over. `since` it began.
  Duration next(Duration since) noexcept;

 private:
  double unit() noexcept;
  Duration period_;
  std::uint64_t state_;
};

}  // namespace weft::probe
