// What sysmon publishes on host.<host>.metrics and digest keeps: the figures of one machine at one moment. Values.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::metrics {

/// Shares of the time since the last reading, 0 to 1; `cores` by number, those that are online.
struct Cpu {
  double busy = 0, user = 0, system = 0, iowait = 0, steal = 0;
  std::map<std::string, double> cores;  ///< busy
  WEFT_FIELDS(Cpu, busy, user, system, iowait, steal, cores)
};
/// As /proc/loadavg.
struct Load {
  double one = 0, five = 0, fifteen = 0;
  std::uint64_t running = 0, tasks = 0;
  WEFT_FIELDS(Load, one, five, fifteen, running, tasks)
};
/// Bytes; `used` is what is not available.
struct Memory {
  std::uint64_t total = 0, available = 0, used = 0, swap_total = 0, swap_used = 0;
  double used_ratio = 0, swap_ratio = 0;
  WEFT_FIELDS(Memory, total, available, used, swap_total, swap_used, used_ratio, swap_ratio)
};
/// Per second; `busy` is the share of time with a request under way, 0 to 1.
struct Disk {
  double read_bytes = 0, written_bytes = 0, reads = 0, writes = 0, busy = 0;
  WEFT_FIELDS(Disk, read_bytes, written_bytes, reads, writes, busy)
};
/// Per second, both directions for errors and drops.
struct Network {
  double received_bytes = 0, sent_bytes = 0, received_packets = 0, sent_packets = 0, errors = 0, drops = 0;
  WEFT_FIELDS(Network, received_bytes, sent_bytes, received_packets, sent_packets, errors, drops)
};
/// Bytes; `used_ratio` counts what only root may use as used.
struct Filesystem {
  std::string path;
  std::uint64_t size = 0, available = 0;
  double used_ratio = 0;
  WEFT_FIELDS(Filesystem, path, size, available, used_ratio)
};
struct Process {
  int pid = 0;
  std::string name;
  std::string state;  ///< one letter as in /proc/<pid>/stat
  double cpu = 0;     ///< cores: 1.5 is one and a half
  std::uint64_t resident = 0;
  WEFT_FIELDS(Process, pid, name, state, cpu, resident)
};

struct Host {
  std::string host;
  std::int64_t time_us = 0;  ///< wall time of the reading
  double interval = 0;       ///< seconds that the rates cover; 0: the first reading, rates are absent or 0
  double uptime = 0;         ///< seconds
  Cpu cpu;
  Load load;
  Memory memory;
  std::map<std::string, Disk> disks;        ///< whole disks
  std::map<std::string, Network> networks;  ///< interfaces
  std::vector<Filesystem> filesystems;
  std::vector<Process> processes;  ///< those that use most CPU, of the last scan
  WEFT_FIELDS(Host, host, time_us, interval, uptime, cpu, load, memory, disks, networks, filesystems, processes)
};

/// "host.<host>.metrics".
std::string topic_of(std::string_view host);
/// The host in such a topic; empty for another topic.
std::string_view host_of(std::string_view topic) noexcept;

/// Each figure under the dotted name of its series: "cpu.busy", "cpu.core.0", "disk.sda.busy",
/// "network.eth0.sent_bytes", "filesystem.root.used_ratio" … What a name cannot hold becomes '_'. Rates are left out of
/// a first reading.
void each_series(const Host& host, const std::function<void(const std::string& series, double value)>& figure);

}  // namespace weft::metrics
