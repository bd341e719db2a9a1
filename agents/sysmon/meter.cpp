// Differences over time.
#include "agents/sysmon/meter.hpp"

#include <algorithm>

#include "agents/sysmon/counters.hpp"

namespace weft::sysmon {

namespace {
constexpr double kSectorBytes = 512;  // in /proc/diskstats always, whatever the disk's own

metrics::Disk disk_between(const DiskCounters& before, const DiskCounters& now, double seconds) noexcept {
  metrics::Disk disk;
  disk.reads = rate(before.reads, now.reads, seconds);
  disk.writes = rate(before.writes, now.writes, seconds);
  disk.read_bytes = rate(before.sectors_read, now.sectors_read, seconds) * kSectorBytes;
  disk.written_bytes = rate(before.sectors_written, now.sectors_written, seconds) * kSectorBytes;
  disk.busy = std::min(1.0, rate(before.busy_ms, now.busy_ms, seconds) / 1000);
  return disk;
}

metrics::Network network_between(const NetworkCounters& before, const NetworkCounters& now, double seconds) noexcept {
  metrics::Network network;
  network.received_bytes = rate(before.received_bytes, now.received_bytes, seconds);
  network.received_packets = rate(before.received_packets, now.received_packets, seconds);
  network.sent_bytes = rate(before.sent_bytes, now.sent_bytes, seconds);
  network.sent_packets = rate(before.sent_packets, now.sent_packets, seconds);
  network.errors = rate(before.errors, now.errors, seconds);
  network.drops = rate(before.drops, now.drops, seconds);
  return network;
}

template <class Rates, class Counters, class Between>
std::map<std::string, Rates> rates(const std::map<std::string, Counters>& before,
                                   const std::map<std::string, Counters>& now, Between between) {
  std::map<std::string, Rates> all;
  for (const auto& [name, counters] : now) {
    if (const auto old = before.find(name); old != before.end()) all.emplace(name, between(old->second, counters));
  }
  return all;
}
}  // namespace

metrics::Cpu cpu_between(const CpuTimes& before, const CpuTimes& now) noexcept {
  // idle and iowait may fall a little (proc(5)): a column that fell counts as not moved.
  const auto column = [&](std::uint64_t CpuTimes::*member) {
    return static_cast<double>(moved(before.*member, now.*member).value_or(0));
  };
  const double user = column(&CpuTimes::user) + column(&CpuTimes::nice);
  const double system = column(&CpuTimes::system) + column(&CpuTimes::irq) + column(&CpuTimes::softirq);
  const double steal = column(&CpuTimes::steal), iowait = column(&CpuTimes::iowait);
  const double all = user + system + steal + iowait + column(&CpuTimes::idle);
  metrics::Cpu cpu;
  if (all <= 0) return cpu;
  cpu.user = user / all;
  cpu.system = system / all;
  cpu.steal = steal / all;
  cpu.iowait = iowait / all;
  cpu.busy = (user + system + steal) / all;
  return cpu;
}

metrics::Host Meter::take(Reading reading, TimePoint at) {
  metrics::Host host;
  host.load = reading.load;
  host.memory = reading.memory;
  host.uptime = reading.uptime;
  if (before_ && at > before_at_) {
    host.interval = to_seconds(at - before_at_);
    host.cpu = cpu_between(before_->stat.total, reading.stat.total);
    for (const auto& [core, times] : reading.stat.cores) {
      const auto old = before_->stat.cores.find(core);
      if (old != before_->stat.cores.end()) host.cpu.cores.emplace(core, cpu_between(old->second, times).busy);
    }
    host.disks = rates<metrics::Disk>(before_->disks, reading.disks, [&](const auto& was, const auto& is) {
      return disk_between(was, is, host.interval);
    });
    host.networks = rates<metrics::Network>(before_->networks, reading.networks, [&](const auto& was, const auto& is) {
      return network_between(was, is, host.interval);
    });
  }
  before_ = std::move(reading);
  before_at_ = at;
  return host;
}

}  // namespace weft::sysmon
