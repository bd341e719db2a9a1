#include "weft/base/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "weft/base/codes.hpp"

namespace weft {
namespace {
struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 7> kUnits{{{"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};
}  // namespace

TimePoint SystemClock::now() const noexcept { return std::chrono::steady_clock::now(); }
WallTime SystemClock::wall() const noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::int64_t to_us(WallTime time) noexcept { return time.time_since_epoch().count(); }
WallTime wall_from_us(std::int64_t us) noexcept { return WallTime(std::chrono::microseconds(us)); }

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Result<WallTime> wall_from_rfc3339(std::string_view text) {
  using namespace std::chrono;
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, used = 0;
  const std::string copy(text);
  Error wrong(codes::bad_value, "'" + copy + "' is no time such as 2026-01-31T12:00:00Z");
  if (copy.size() > 40 || std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6)
    return wrong;
  std::int64_t us = 0;
  std::size_t at = static_cast<std::size_t>(used);
  if (at < copy.size() && copy[at] == '.') {
    std::int64_t scale = 100'000;
    for (++at; at < copy.size() && copy[at] >= '0' && copy[at] <= '9'; ++at, scale /= 10)
      us += (copy[at] - '0') * scale;
  }
  const year_month_day date(year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)});
  if (copy.substr(at) != "Z" || !date.ok() || h > 23 || mi > 59 || s > 60) return wrong;
  return WallTime(sys_days(date)) + hours(h) + minutes(mi) + seconds(s) + microseconds(us);
}

Result<Duration> duration_from(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc() && number >= 0) {
    for (const auto& known : kUnits) {
      const double ns = number * static_cast<double>(known.ns);
      if (unit == known.name && ns < 9e18) return Duration(std::llround(ns));
    }
  }
  return Error(codes::bad_value, "'" + std::string(text) + "' is no duration such as 500ms, 2s, 5m, 1h or 7d");
}

std::string to_text(Duration duration) {
  for (const auto& unit : kUnits) {
    if (duration.count() % unit.ns == 0 && duration.count() != 0)
      return std::to_string(duration.count() / unit.ns) + std::string(unit.name);
  }
  return "0s";
}

}  // namespace weft
