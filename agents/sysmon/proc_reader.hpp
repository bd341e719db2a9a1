// ProcReader: the files that sysmon reads, under a root that a test may choose. What cannot be read is empty.
#pragma once
#include <string>
#include <vector>

#include "agents/sysmon/meter.hpp"
#include "agents/sysmon/process_table.hpp"

namespace weft::sysmon {

class ProcReader {
 public:
  struct Options {
    std::string root = "/proc";
    std::vector<std::string> ignore_disks, ignore_interfaces;  ///< globs of fnmatch(3)
  };
  explicit ProcReader(Options options) : options_(std::move(options)) {}

  Reading read() const;
  /// Reads the processes whose turn it is into `table`.
  void scan(ProcessTable& table, const Clock& clock) const;

 private:
  /// Empty when it is not there or not allowed. At most 1 MiB.
  std::string file(const std::string& name) const;
  std::vector<int> pids() const;  ///< sorted, at most 16384

  Options options_;
};

/// None when nothing is mounted there that has a size.
std::optional<metrics::Filesystem> read_filesystem(const std::string& path);

}  // namespace weft::sysmon
