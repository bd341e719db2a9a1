// Parsers for the files of /proc (proc(5)). Pure; odd lines are skipped, missing columns are 0, nothing throws.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agents/metrics/metrics.hpp"

namespace weft::sysmon {

inline constexpr std::size_t kCoresMax = 1024;   ///< more are left out
inline constexpr std::size_t kDevicesMax = 256;  ///< disks, and interfaces; more are left out

/// Ticks since boot.
struct CpuTimes {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
};
struct Stat {
  CpuTimes total;
  std::map<std::string, CpuTimes> cores;  ///< by number
};
struct DiskCounters {
  std::uint64_t reads = 0, sectors_read = 0, writes = 0, sectors_written = 0, busy_ms = 0;
};
struct NetworkCounters {
  std::uint64_t received_bytes = 0, received_packets = 0, sent_bytes = 0, sent_packets = 0, errors = 0, drops = 0;
};
struct ProcessStat {
  int pid = 0;
  std::string name;
  char state = '?';
  std::uint64_t ticks = 0;    ///< user and system
  std::uint64_t started = 0;  ///< ticks after boot: tells a reused pid
  std::uint64_t resident_pages = 0;
};

Stat parse_stat(std::string_view text);
metrics::Load parse_loadavg(std::string_view text);
metrics::Memory parse_meminfo(std::string_view text);
double parse_uptime(std::string_view text);
/// Whole disks that have ever done something; partitions are left out.
std::map<std::string, DiskCounters> parse_diskstats(std::string_view text);
std::map<std::string, NetworkCounters> parse_net_dev(std::string_view text);
/// Of /proc/<pid>/stat. A name may hold spaces, parentheses and line ends. None: not such a line.
std::optional<ProcessStat> parse_process(std::string_view text);

}  // namespace weft::sysmon
