#include "weft/program/watchdog.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace weft::program {
namespace {

std::uint64_t number(const char* variable) {
  std::uint64_t out = 0;
  if (const char* text = std::getenv(variable)) std::from_chars(text, text + std::strlen(text), out);
  return out;
}

}  // namespace

Watchdog::Watchdog(Loop& loop, io::Notifier& notifier) : notifier_(notifier), timer_(loop) {
  constexpr std::uint64_t kMax = 24ULL * 3600 * 1'000'000;
  const auto limit_us = std::min(number("WATCHDOG_USEC"), kMax);
  const auto pid = number("WATCHDOG_PID");
  if (limit_us == 0 || (pid != 0 && pid != static_cast<std::uint64_t>(::getpid()))) return;
  period_ = std::chrono::microseconds(limit_us) / 2;
  ping();
}

void Watchdog::ping() {
  notifier_.send("WATCHDOG=1");
  timer_.start(period_, [this] { ping(); });
}

}  // namespace weft::program
