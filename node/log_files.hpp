// One log file an agent. The agents write (appending), also while no node runs; the node rotates and reads.
#pragma once
#include <cstdint>
#include <string>

#include "weft/base/base.hpp"

namespace weft::node {

struct LogPage {
  std::string text;
  std::uint64_t next_offset = 0;  ///< read on from here
};

/// Changes when another file gets this name; 0: there is no such file.
std::uint64_t file_number(const std::string& file);
/// True when standard error of the process `pid` goes to the file that is called `file` now.
bool writes_to(int pid, const std::string& file);

/// Copies a file of more than `bytes_max` to `file`.1 (older ones to .2 … .`keep`) and empties it. What is written
/// between the copy and the emptying is lost. Errors: `io_failed`, `disk_full`; then nothing was emptied.
Result<void> rotate_log(const std::string& file, std::uint64_t bytes_max = 10 * 1024 * 1024, int keep = 3);

/// Bytes; 0 for a file that does not exist yet.
std::uint64_t log_size(const std::string& file);

/// The last `lines` lines, but at most `bytes_max` bytes; a file that does not exist yet is empty.
LogPage log_tail(const std::string& file, std::size_t lines, std::size_t bytes_max = 256 * 1024);

/// Whole lines from `offset` on, at most `bytes_max` bytes (a longer line is cut). An offset past the end, because the
/// file was rotated, reads from the start.
LogPage log_from(const std::string& file, std::uint64_t offset, std::size_t bytes_max = 256 * 1024);

}  // namespace weft::node
