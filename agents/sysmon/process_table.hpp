// ProcessTable: which processes use most CPU, found by reading a bounded number of them a scan. Pure.
#pragma once
#include <map>
#include <vector>

#include "agents/metrics/metrics.hpp"
#include "agents/sysmon/proc_text.hpp"

namespace weft::sysmon {

class ProcessTable {
 public:
  /// `read_max`: processes a scan reads; where there are more, the next scan goes on behind the last one.
  explicit ProcessTable(std::size_t read_max) : read_max_(read_max) {}

  /// Forgets whoever is not in `pids` (sorted), and returns whom to read now.
  std::vector<int> choose(const std::vector<int>& pids);
  void update(ProcessStat process, TimePoint at, double ticks_per_second);
  void vanished(int pid) { known_.erase(pid); }
  /// At most `count`, most CPU first, then most memory.
  std::vector<metrics::Process> top(std::size_t count, std::uint64_t page_bytes) const;
  std::size_t size() const noexcept { return known_.size(); }

 private:
  struct Known {
    ProcessStat last;
    TimePoint at{};
    double cpu = 0;
  };
  std::size_t read_max_;
  std::map<int, Known> known_;
  int cursor_ = 0;  // the last pid read
};

}  // namespace weft::sysmon
