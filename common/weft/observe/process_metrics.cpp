// weft_build_info and process_*, named as every Prometheus client names them, read from the kernel at each scrape.
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "weft/observe/observe.hpp"

namespace weft::observe {
namespace {

struct Stat {
  double resident_bytes = 0, virtual_bytes = 0, threads = 0, start_seconds = 0;
};

/// proc(5); the fields after the command, which is in parentheses and may hold anything.
Stat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto fields = split(std::string_view(line).substr(std::min(line.size(), line.rfind(')') + 2)), ' ');
  const auto field = [&](std::size_t number) {  // as proc(5) counts; the state is number 3
    return number - 3 < fields.size() ? std::stod(std::string(fields[number - 3])) : 0.0;
  };
  if (fields.size() < 22) return {};
  return {field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)), field(23), field(20),
          field(22) / static_cast<double>(::sysconf(_SC_CLK_TCK))};
}

double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) break;
  }
  return seconds;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  if (!directory) return 0;
  double count = -3;  // ".", ".." and the one of this listing
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

double descriptors_max() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void add_process_metrics(Metrics& metrics, std::string_view version) {
  metrics
      .gauge("weft_build_info", "What this process was built from.",
             {{"version", std::string(version)}, {"cxx", __VERSION__}})
      .set(1);
  auto& start = metrics.gauge("process_start_time_seconds", "When the process started, in Unix time.");
  start.set(boot_time() + read_stat().start_seconds);
  metrics.gauge("process_max_fds", "The most file descriptors that may be open.").set(descriptors_max());
  auto& cpu = metrics.mirrored_counter("process_cpu_seconds_total", "CPU time used, in user and system mode.");
  auto& resident = metrics.gauge("process_resident_memory_bytes", "Memory in RAM, shared parts included.");
  auto& virtual_memory = metrics.gauge("process_virtual_memory_bytes", "Address space in use.");
  auto& threads = metrics.gauge("process_threads", "Threads of the process.");
  auto& descriptors = metrics.gauge("process_open_fds", "File descriptors that are open.");
  metrics.on_collect([&] {
    const auto stat = read_stat();
    cpu.set(cpu_seconds());
    resident.set(stat.resident_bytes);
    virtual_memory.set(stat.virtual_bytes);
    threads.set(stat.threads);
    descriptors.set(open_descriptors());
  });
}

}  // namespace weft::observe
