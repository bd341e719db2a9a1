// Time comes in by constructor, so that tests can move it by hand.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "weft/base/result.hpp"

namespace weft {

using namespace std::chrono_literals;
using Duration = std::chrono::nanoseconds;
/// Monotonic time of this process; not comparable between processes.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
/// Time of day, UTC, microseconds.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;
  virtual WallTime wall() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const noexcept override;
  WallTime wall() const noexcept override;
};

/// Moves only by hand; for tests and simulations. Not thread-safe.
class ManualClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return now_; }
  WallTime wall() const noexcept override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by);
  }

 private:
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::microseconds(1'700'000'000'000'000)};
};

/// RFC 3339 in UTC with microseconds: "2026-11-20T07:48:00.000001Z".
std::string to_rfc3339(WallTime time);
Result<WallTime> wall_from_rfc3339(std::string_view text);
std::int64_t to_us(WallTime time) noexcept;
WallTime wall_from_us(std::int64_t us) noexcept;
/// "250ms", "1.5s", "2m", "1h", "7d"; a bare number is refused (unit unknown). Errors: `bad_value`.
Result<Duration> duration_from(std::string_view text);
/// The shortest exact form: "1500ms", "2m".
std::string to_text(Duration duration);
inline double to_seconds(Duration duration) noexcept { return std::chrono::duration<double>(duration).count(); }

}  // namespace weft
