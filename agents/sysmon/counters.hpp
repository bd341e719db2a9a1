// Rates from counters that only grow, until they wrap or start anew.
#pragma once
#include <cstdint>
#include <optional>

namespace weft::sysmon {

/// How far a counter moved. A counter of 32 bits that wrapped is seen by where it was and is; one that fell otherwise
/// was reset (device replaced, process id reused): no answer for this interval.
inline std::optional<std::uint64_t> moved(std::uint64_t before, std::uint64_t now) noexcept {
  constexpr std::uint64_t kWrap = std::uint64_t{1} << 32;
  if (now >= before) return now - before;
  if (before < kWrap && before >= kWrap / 4 * 3 && now < kWrap / 4) return now + kWrap - before;
  return std::nullopt;
}

/// Per second; 0 after a reset or without time between the readings.
inline double rate(std::uint64_t before, std::uint64_t now, double seconds) noexcept {
  const auto difference = moved(before, now);
  return difference && seconds > 0 ? static_cast<double>(*difference) / seconds : 0.0;
}

}  // namespace weft::sysmon
