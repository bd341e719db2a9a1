// Limiter: a token bucket that knows how much it kept back. Pure.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include "weft/base/base.hpp"

namespace weft::logwatch {

class Limiter {
 public:
  Limiter(double rate_per_second, double burst) : rate_(rate_per_second), burst_(burst), tokens_(burst) {}

  bool allow(TimePoint now) noexcept {
    refill(now);
    if (tokens_ < 1) {
      ++suppressed_;
      return false;
    }
    tokens_ -= 1;
    return true;
  }
  /// How many were kept back since the last call, once there is room again; else 0.
  std::uint64_t take_suppressed(TimePoint now) noexcept {
    refill(now);
    return tokens_ < 1 ? 0 : std::exchange(suppressed_, 0);
  }

 private:
  void refill(TimePoint now) noexcept {
    if (at_ != TimePoint{}) tokens_ = std::min(burst_, tokens_ + rate_ * to_seconds(now - at_));
    at_ = now;
  }
  double rate_, burst_, tokens_;
  TimePoint at_{};
  std::uint64_t suppressed_ = 0;
};

}  // namespace weft::logwatch
