// What the C++ sides of the actor benchmark share: `SIDE ROW N` does the work of one row once, N times over, and prints
// one number in the row's unit. README.md says what each row is.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bench/process.hpp"

namespace weft::bench::actors {

using Clock = std::chrono::steady_clock;

inline double nanoseconds(Clock::duration time) { return std::chrono::duration<double, std::nano>(time).count(); }
inline double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }
inline double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }
/// `count` in `time`, a second.
inline double rate(std::uint64_t count, Clock::duration time) {
  return static_cast<double>(count) * 1e9 / nanoseconds(time);
}

/// Percent of a core that this process uses while the caller sleeps: 1.2 s to settle, then `window`.
double cpu_percent(std::chrono::seconds window);
inline constexpr std::chrono::microseconds wake_pause{300};  ///< before each round trip of the row wake
/// The first `count` of those that the process may use; as many times the last as are missing.
std::vector<int> cores(std::size_t count);
/// Puts the calling thread on that core.
void pin_thread(int core);

/// Counts delays by whole microseconds; has one writer.
class Delays {
 public:
  void add(Clock::duration delay) noexcept;
  std::uint64_t count() const noexcept { return count_; }
  double p99_us() const noexcept;

 private:
  static constexpr std::size_t us_max = 100'000;  ///< what is later counts as this
  std::uint32_t by_us_[us_max + 1] = {};
  std::uint64_t count_ = 0;
};

struct Row {
  std::string_view name;
  double (*measure)(std::uint64_t n);
};

/// main() of a side. What the work itself prints goes to /dev/null.
int run_side(int argc, char** argv, std::span<const Row> rows);

}  // namespace weft::bench::actors
