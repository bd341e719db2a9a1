// Error events for tests: numbered, so that a test can say which arrived, how often and in which order.
#pragma once
#include "weft/base/base.hpp"

namespace weft::test {

/// A good event. The number is in its id and in values.n.
inline ErrorEvent numbered_event(std::uint64_t n, std::string host = "alpha") {
  ErrorEvent event;
  for (std::size_t i = 0; i < 8; ++i) event.id.bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
  event.id.bytes[0] = static_cast<std::uint8_t>(host.empty() ? 0 : host.front());
  event.time_us = 1'700'000'000'000'000 + static_cast<std::int64_t>(n);
  event.host = std::move(host);
  event.agent = "echo";
  event.version = "1.0.0";
  event.code = "NUMBERED";
  event.message = "event {n}";
  event.values["n"] = n;
  return event;
}

inline std::vector<ErrorEvent> numbered_events(std::uint64_t first, std::uint64_t last,
                                               const std::string& host = "alpha") {
  std::vector<ErrorEvent> events;
  for (auto n = first; n <= last; ++n) events.push_back(numbered_event(n, host));
  return events;
}

inline std::vector<std::int64_t> numbers_of(const std::vector<ErrorEvent>& events) {
  std::vector<std::int64_t> numbers;
  for (const auto& event : events) numbers.push_back(event.values.at("n").as_int());
  return numbers;
}

inline std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> out;
  for (auto n = first; n <= last; ++n) out.push_back(n);
  return out;
}

}  // namespace weft::test
