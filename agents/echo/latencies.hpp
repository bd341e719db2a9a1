// Latencies: percentiles of any number of durations in fixed memory, each at most 1/64 too large. Pure.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace weft::echo {

/// Microseconds below 64 are exact; from there each power of two is cut into 64 steps. 2^36 us (19 h) is the end.
class Latencies {
 public:
  void add(std::uint64_t us) noexcept {
    ++count_;
    max_ = std::max(max_, us);
    ++steps_[step_of(std::min(us, kEnd))];
  }
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t max() const noexcept { return max_; }
  /// 0 of nothing.
  std::uint64_t quantile(double q) const noexcept {
    const auto rank =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      seen += steps_[step];
      if (seen >= rank) return std::min(upper_of(step), max_);
    }
    return max_;
  }

 private:
  static constexpr std::uint64_t kEnd = (std::uint64_t{1} << 36) - 1;
  static std::size_t step_of(std::uint64_t us) noexcept {
    if (us < 64) return us;
    const auto shift = static_cast<std::size_t>(std::bit_width(us)) - 7;
    return (shift + 1) * 64 + ((us >> shift) - 64);
  }
  static std::uint64_t upper_of(std::size_t step) noexcept {
    if (step < 64) return step;
    const auto shift = step / 64 - 1;
    return ((step % 64 + 65) << shift) - 1;
  }
  std::array<std::uint64_t, 64 * 31> steps_{};
  std::uint64_t count_ = 0, max_ = 0;
};

}  // namespace weft::echo
