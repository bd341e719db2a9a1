// Child processes: started with posix_spawn, watched and signalled through a pidfd, so that a pid that another process
// got is never touched.
#pragma once
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "node/restart.hpp"
#include "weft/base/base.hpp"

namespace weft::node {

struct Command {
  std::string program;  ///< path
  std::vector<std::string> args;
  std::vector<std::string> env;  ///< "NAME=value"; the whole environment
  std::string log;               ///< stdout and stderr are appended here
  std::string cwd{};             ///< working folder; empty: the node's
};

/// A pid alone may be another process tomorrow; with its start time (clock ticks since boot) it is one process.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// A hold on one process. Letting go of it ends nothing. Loop-bound.
class Process {
 public:
  virtual ~Process() = default;
  virtual ProcessId id() const noexcept = 0;
  /// True for the process itself, and for one that it started in its process group.
  virtual bool includes(pid_t pid) const noexcept = 0;
  /// To the process itself. No effect once it has ended.
  virtual void signal(int number) noexcept = 0;
  /// KILL to it and to what it started in its process group.
  virtual void kill_group() noexcept = 0;
};

/// Called once, on the loop; may destroy the Process.
using OnExit = UniqueFunction<void(Exit)>;

/// An interface: real processes, or a test's.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// In a process group of its own, with default signals, stdin from /dev/null and no inherited descriptor.
  /// Errors: `start_failed`.
  virtual Result<std::unique_ptr<Process>> launch(const Command& command, OnExit on_exit) = 0;
  /// A process that runs already, of a former node. Errors: `not_found` kind, when it is not this process any more.
  virtual Result<std::unique_ptr<Process>> adopt(ProcessId id, OnExit on_exit) = 0;
};

/// Called when the log of a process cannot be opened: it starts all the same, and writes to the stderr of this process.
using LogLost = std::function<void(const Command& command, const Error& why)>;
std::unique_ptr<Launcher> make_launcher(Loop& loop, LogLost log_lost = {});

/// Start time of a process, from /proc; 0 when there is no such process.
std::uint64_t start_ticks_of(pid_t pid);
/// Changes at each boot: start times of different boots do not compare.
std::string boot_id();

/// The program file: with a slash relative to `base`, else in the folder of this program, WEFT_PROGRAM_PATH, PATH.
/// Errors: `start_failed`, saying where it was looked for.
Result<std::string> find_program(const std::string& program, const std::string& base);

}  // namespace weft::node
