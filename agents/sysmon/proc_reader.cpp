// Opens, reads, closes.
#include "agents/sysmon/proc_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weft::sysmon {

namespace {
constexpr std::size_t kFileMax = 1024 * 1024;
constexpr std::size_t kPidsMax = 16'384;

bool matches_any(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0; });
}
}  // namespace

std::string ProcReader::file(const std::string& name) const {
  const int fd = ::open((options_.root + "/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char chunk[16 * 1024];
  ssize_t got = 0;
  while (text.size() < kFileMax && (got = ::read(fd, chunk, sizeof chunk)) > 0)
    text.append(chunk, static_cast<std::size_t>(got));
  ::close(fd);
  return text;
}

std::vector<int> ProcReader::pids() const {
  std::vector<int> pids;
  DIR* directory = ::opendir(options_.root.c_str());
  if (!directory) return pids;
  while (const dirent* entry = ::readdir(directory)) {
    int pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    const auto [stop, failure] = std::from_chars(entry->d_name, end, pid);
    if (failure == std::errc() && stop == end && pid > 0 && pids.size() < kPidsMax) pids.push_back(pid);
  }
  ::closedir(directory);
  std::sort(pids.begin(), pids.end());
  return pids;
}

Reading ProcReader::read() const {
  Reading reading;
  reading.stat = parse_stat(file("stat"));
  reading.load = parse_loadavg(file("loadavg"));
  reading.memory = parse_meminfo(file("meminfo"));
  reading.uptime = parse_uptime(file("uptime"));
  reading.disks = parse_diskstats(file("diskstats"));
  reading.networks = parse_net_dev(file("net/dev"));
  std::erase_if(reading.disks, [&](const auto& entry) { return matches_any(options_.ignore_disks, entry.first); });
  std::erase_if(reading.networks,
                [&](const auto& entry) { return matches_any(options_.ignore_interfaces, entry.first); });
  return reading;
}

void ProcReader::scan(ProcessTable& table, const Clock& clock) const {
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  for (const int pid : table.choose(pids())) {
    auto process = parse_process(file(std::to_string(pid) + "/stat"));
    if (process && process->pid == pid) {
      table.update(std::move(*process), clock.now(), ticks);
    } else {
      table.vanished(pid);  // it ended meanwhile
    }
  }
}

std::optional<metrics::Filesystem> read_filesystem(const std::string& path) {
  struct statvfs found {};
  if (::statvfs(path.c_str(), &found) != 0 || found.f_blocks == 0) return std::nullopt;
  const double blocks = static_cast<double>(found.f_blocks), available = static_cast<double>(found.f_bavail);
  return metrics::Filesystem{path, found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize,
                             1 - std::min(available / blocks, 1.0)};
}

}  // namespace weft::sysmon
