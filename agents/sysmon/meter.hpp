// Meter: two readings of counters make the rates between them. Pure.
#pragma once
#include <optional>

#include "agents/metrics/metrics.hpp"
#include "agents/sysmon/proc_text.hpp"

namespace weft::sysmon {

struct Reading {
  Stat stat;
  metrics::Load load;
  metrics::Memory memory;
  double uptime = 0;
  std::map<std::string, DiskCounters> disks;
  std::map<std::string, NetworkCounters> networks;
};

/// Shares of the time between two readings of one processor; all 0 when no tick passed or the counters were reset.
metrics::Cpu cpu_between(const CpuTimes& before, const CpuTimes& now) noexcept;

class Meter {
 public:
  /// The figures at `at`. What was not there before has no rate yet: it is left out, and so is all of a first reading.
  metrics::Host take(Reading reading, TimePoint at);

 private:
  std::optional<Reading> before_;
  TimePoint before_at_{};
};

}  // namespace weft::sysmon
