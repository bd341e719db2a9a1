// Who runs, on disk: so that a node that starts after a crash finds the processes of the one before.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "node/process.hpp"
#include "weft/base/base.hpp"

namespace weft::node {

struct ProcessNote {
  std::string agent;
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string fingerprint;  ///< of how it was started: another one means that the fleet changed
  bool ready = false;
  WEFT_FIELDS(ProcessNote, agent, pid, start_ticks, fingerprint, ready)
  ProcessId id() const noexcept { return {pid, start_ticks}; }
};

/// Errors: those of replace_file().
Result<void> write_process_file(const std::string& file, const std::string& boot, std::vector<ProcessNote> notes);
/// Nothing when there is no such file, it cannot be understood, or it is of another boot.
std::vector<ProcessNote> read_process_file(const std::string& file, const std::string& boot);

/// TERM to each that still is the process noted, KILL after `grace`; resolves when all have ended.
Task<void> end_processes(Loop& loop, Launcher& launcher, std::vector<ProcessNote> notes, Duration grace);

}  // namespace weft::node
