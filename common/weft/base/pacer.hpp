// Pacer: how many of `count` things are due by now at a steady rate. Pure.
#pragma once
#include <algorithm>
#include <cstdint>

#include "weft/base/base.hpp"

namespace weft {

class Pacer {
 public:
  /// A rate of 0 or less: all at once.
  Pacer(double rate_per_second, std::uint64_t count, TimePoint start)
      : rate_(rate_per_second), count_(count), start_(start) {}

  /// How many more are due at `now`; at most `most`. They count as done.
  std::uint64_t due(TimePoint now, std::uint64_t most) noexcept {
    const double seconds = std::max(0.0, to_seconds(now - start_));
    const double by_now = rate_ > 0 ? seconds * rate_ + 1 : static_cast<double>(count_);  // the first is due at once
    const auto target = by_now >= static_cast<double>(count_) ? count_ : static_cast<std::uint64_t>(by_now);
    const auto more = std::min(target > done_ ? target - done_ : 0, most);
    done_ += more;
    return more;
  }
  std::uint64_t done() const noexcept { return done_; }
  bool finished() const noexcept { return done_ >= count_; }

 private:
  double rate_;
  std::uint64_t count_, done_ = 0;
  TimePoint start_;
};

}  // namespace weft
