// Words and numbers of /proc.
#include "agents/sysmon/proc_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace weft::sysmon {

namespace {
bool blank(char c) noexcept { return c == ' ' || c == '\t'; }

std::string_view next_word(std::string_view& rest) noexcept {
  while (!rest.empty() && blank(rest.front())) rest.remove_prefix(1);
  std::size_t length = 0;
  while (length < rest.size() && !blank(rest[length])) ++length;
  const auto word = rest.substr(0, length);
  rest.remove_prefix(length);
  return word;
}

std::string_view next_line(std::string_view& rest) noexcept {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

template <class T>
std::optional<T> number(std::string_view word) noexcept {
  T value{};
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (failure != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::uint64_t next_count(std::string_view& rest) noexcept { return number<std::uint64_t>(next_word(rest)).value_or(0); }

double next_double(std::string_view& rest) noexcept {
  const double value = number<double>(next_word(rest)).value_or(0.0);
  return std::isfinite(value) && value >= 0 ? value : 0.0;
}

bool digits(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The kernel's rule (disk_name()): sda1 belongs to sda, nvme0n1p1 to nvme0n1.
bool is_partition_of(std::string_view name, std::string_view disk) noexcept {
  if (disk.empty() || !name.starts_with(disk)) return false;
  auto rest = name.substr(disk.size());
  const bool ends_in_digit = digits(disk.substr(disk.size() - 1));
  if (ends_in_digit) {
    if (!rest.starts_with('p')) return false;
    rest.remove_prefix(1);
  }
  return digits(rest);
}

CpuTimes cpu_times(std::string_view rest) noexcept {
  CpuTimes times;
  for (auto* column :
       {&times.user, &times.nice, &times.system, &times.idle, &times.iowait, &times.irq, &times.softirq, &times.steal})
    *column = next_count(rest);
  return times;
}
}  // namespace

Stat parse_stat(std::string_view text) {
  Stat stat;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto label = next_word(line);
    if (!label.starts_with("cpu")) continue;
    const auto core = label.substr(3);
    if (core.empty()) {
      stat.total = cpu_times(line);
    } else if (digits(core) && core.size() <= 6 && stat.cores.size() < kCoresMax) {
      stat.cores.insert_or_assign(std::string(core), cpu_times(line));
    }
  }
  return stat;
}

metrics::Load parse_loadavg(std::string_view text) {
  metrics::Load load;
  auto line = next_line(text);
  load.one = next_double(line);
  load.five = next_double(line);
  load.fifteen = next_double(line);
  const auto tasks = next_word(line);
  if (const auto slash = tasks.find('/'); slash != std::string_view::npos) {
    load.running = number<std::uint64_t>(tasks.substr(0, slash)).value_or(0);
    load.tasks = number<std::uint64_t>(tasks.substr(slash + 1)).value_or(0);
  }
  return load;
}

metrics::Memory parse_meminfo(std::string_view text) {
  std::uint64_t free = 0, buffers = 0, cached = 0, swap_free = 0;
  std::optional<std::uint64_t> available;
  metrics::Memory memory;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto label = next_word(line);
    const std::uint64_t kib = std::min(next_count(line), UINT64_MAX / 2048);
    const std::uint64_t bytes = kib * 1024;
    if (label == "MemTotal:") memory.total = bytes;
    if (label == "MemFree:") free = bytes;
    if (label == "MemAvailable:") available = bytes;
    if (label == "Buffers:") buffers = bytes;
    if (label == "Cached:") cached = bytes;
    if (label == "SwapTotal:") memory.swap_total = bytes;
    if (label == "SwapFree:") swap_free = bytes;
  }
  const auto ratio = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  memory.available = std::min(available.value_or(free + buffers + cached), memory.total);
  memory.used = memory.total - memory.available;
  memory.swap_used = memory.swap_total - std::min(swap_free, memory.swap_total);
  memory.used_ratio = ratio(memory.used, memory.total);
  memory.swap_ratio = ratio(memory.swap_used, memory.swap_total);
  return memory;
}

double parse_uptime(std::string_view text) {
  auto line = next_line(text);
  return next_double(line);
}

std::map<std::string, DiskCounters> parse_diskstats(std::string_view text) {
  std::map<std::string, DiskCounters> disks;
  std::vector<std::string_view> whole;  // partitions follow their disk
  while (!text.empty() && disks.size() < kDevicesMax) {
    auto line = next_line(text);
    next_word(line);  // major
    next_word(line);  // minor
    const auto name = next_word(line);
    if (name.empty()) continue;
    if (std::any_of(whole.begin(), whole.end(), [&](auto disk) { return is_partition_of(name, disk); })) continue;
    whole.push_back(name);
    DiskCounters counters;
    counters.reads = next_count(line);
    next_count(line);  // reads merged
    counters.sectors_read = next_count(line);
    next_count(line);  // ms reading
    counters.writes = next_count(line);
    next_count(line);  // writes merged
    counters.sectors_written = next_count(line);
    next_count(line);  // ms writing
    next_count(line);  // requests under way
    counters.busy_ms = next_count(line);
    if (counters.reads + counters.writes > 0) disks.insert_or_assign(std::string(name), counters);
  }
  return disks;
}

std::map<std::string, NetworkCounters> parse_net_dev(std::string_view text) {
  std::map<std::string, NetworkCounters> interfaces;
  while (!text.empty() && interfaces.size() < kDevicesMax) {
    auto line = next_line(text);
    const auto colon = line.rfind(':');  // an alias holds a colon itself
    if (colon == std::string_view::npos) continue;
    auto head = line.substr(0, colon);
    auto columns = line.substr(colon + 1);
    const auto name = next_word(head);
    if (name.empty()) continue;
    NetworkCounters counters;
    counters.received_bytes = next_count(columns);
    counters.received_packets = next_count(columns);
    counters.errors = next_count(columns);
    counters.drops = next_count(columns);
    for (int skipped = 0; skipped < 4; ++skipped) next_count(columns);  // fifo frame compressed multicast
    counters.sent_bytes = next_count(columns);
    counters.sent_packets = next_count(columns);
    counters.errors += next_count(columns);
    counters.drops += next_count(columns);
    interfaces.insert_or_assign(std::string(name), counters);
  }
  return interfaces;
}

std::optional<ProcessStat> parse_process(std::string_view text) {
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  auto head = text.substr(0, open);
  const auto pid = number<int>(next_word(head));
  auto rest = text.substr(close + 1);
  const auto state = next_word(rest);
  if (!pid || state.size() != 1) return std::nullopt;
  std::vector<std::string_view> columns;  // the first is column 4 of proc(5)
  while (columns.size() < 21) columns.push_back(next_word(rest));
  const auto column = [&](std::size_t of_proc5) { return number<std::uint64_t>(columns[of_proc5 - 4]).value_or(0); };
  ProcessStat process;
  process.pid = *pid;
  process.name = std::string(text.substr(open + 1, close - open - 1));
  process.state = state.front();
  process.ticks = column(14) + column(15);
  process.started = column(22);
  process.resident_pages = column(24);
  return process;
}

}  // namespace weft::sysmon
