// Postmortem: what can be found out about a process that ended: its record of a crash, the last lines of its log, and
// whether the kernel killed it for lack of memory. Private to node. Loop-bound.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/child.hpp"
#include "node/crash_record.hpp"

namespace weft::node {

struct Findings {
  CrashRecord crash;             ///< empty when the process left none
  std::string stack;             ///< with names; may be empty
  std::vector<std::string> log;  ///< its last lines, oldest first: at most 20, and 8 KiB
  bool out_of_memory = false;    ///< very likely: the kernel killed some process for it in these seconds
};

/// How often the kernel has killed a process for lack of memory, in this machine or in a group of processes with a
/// limit.
class MemoryKills {
 public:
  /// `file` is /proc/vmstat, but for tests.
  explicit MemoryKills(std::string file = "/proc/vmstat") : file_(std::move(file)), seen_(read()) {}
  /// True when it did since the last look.
  bool look();

 private:
  std::uint64_t read() const;

  std::string file_;
  std::uint64_t seen_;
};

class Postmortem final : public Observer {
 public:
  /// Borrows the loop.
  Postmortem(Loop& loop, std::string memory_file = "/proc/vmstat");

  void changed(const Unit& unit, const Status& status) override;
  void ended(const Unit&, const Status&, const Ended&) override {}
  /// Once for each end; removes the record. The process is the one of the last changed().
  Findings examine(const Unit& unit, const Exit& exit);

 private:
  struct Life {
    ProcessId process;
    std::uint64_t log_begin = 0;  ///< what is before it in the log is of earlier processes
  };
  void watch_memory();

  MemoryKills memory_kills_;
  Timer memory_look_;
  std::map<std::string, Life> lives_;
};

/// The event that reports the unexpected end of an agent's process, or a crash while it was being stopped: in the name
/// of the agent. Without id and time.
ErrorEvent event_of(const Unit& unit, const Status& status, const Ended& ended, const Findings& findings);

/// What the node before this one left when it crashed; none: it did not. Before this one writes to `log`, and has its
/// own crash handler.
std::optional<Findings> crash_of_former_node(const std::string& crash_file, const std::string& log);
/// The event that reports it, in the name of the node.
ErrorEvent event_of_former_node(const Findings& findings);

}  // namespace weft::node
