// One supervised process: its state, its timers, and what its end leads to. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/notify_socket.hpp"
#include "node/process.hpp"
#include "node/restart.hpp"
#include "weft/base/base.hpp"

namespace weft::node {

/// What to run, and how to treat it.
struct Unit {
  std::string name;
  Command command;
  std::vector<std::string> needs;  ///< units that must be ready first
  RestartPolicy::Options restart;
  Duration start_timeout = std::chrono::seconds(10);
  Duration stop_timeout = std::chrono::seconds(5);
  std::string crash_file;  ///< where a process with Weft's library leaves the record of a crash; may be empty
  Duration watchdog = std::chrono::seconds(10);  ///< once it has said WATCHDOG=1 it must say so this often
};

enum class State : std::uint8_t {
  waiting,   ///< for what it needs
  starting,  ///< runs, not yet ready
  ready,
  backoff,   ///< ended; starts again after a delay
  stopping,  ///< was told to end
  stopped,   ///< because somebody asked
  done,      ///< ended by itself, as its restart kind allows
  failed,    ///< stays down until somebody starts it
};
inline constexpr std::size_t kStates = 8;
std::string_view to_string(State state) noexcept;

struct Status {
  State state = State::waiting;
  ProcessId process;
  int restarts = 0;
  TimePoint since;          ///< when `state` began
  Duration startup{};       ///< from launch to ready, of the last start
  std::string why;          ///< how it ended last, or what it waits for; may be empty
  std::string status_line;  ///< what it said of itself; may be empty
};

struct Ended {
  Exit exit;
  std::string why;          ///< "was not ready within 10s and was killed by signal 9 (Killed)"
  std::string_view reason;  ///< one of few words, for a metric
  bool expected = false;    ///< it had been told to stop
  Decision decision;
};

/// An interface: who watches the processes. Calls come from the loop; they must not call back into the supervisor.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void changed(const Unit& unit, const Status& status) = 0;
  virtual void ended(const Unit& unit, const Status& status, const Ended& ended) = 0;
};

class Child {
 public:
  struct Hooks {
    std::function<void()> changed;  ///< runs after each change of state
    /// Asked before a child is ended for its silence, after what it has sent was read. False: this node did not run
    /// itself for a while, and every child got a new start.
    std::function<bool()> may_judge;
  };
  /// Borrows all but the unit and the hooks.
  Child(Loop& loop, Launcher& launcher, Observer& observer, Unit unit, Hooks hooks);

  const Unit& unit() const noexcept { return unit_; }
  const Status& status() const noexcept { return status_; }
  bool has_process() const noexcept { return process_ != nullptr; }
  /// True for its process, and for one that this started in its process group.
  bool includes(pid_t pid) const noexcept { return process_ && process_->includes(pid); }

  void launch();
  /// Takes over a process of a former node. False: it has ended.
  bool adopt(ProcessId id);
  void notified(const Notification& notification);
  /// Its time to become ready, or its time until the next WATCHDOG=1, begins again.
  void new_start();
  /// TERM, and KILL after stop_timeout. Without a process: stopped at once.
  void stop();
  void kill() noexcept;
  /// True when the delay of its restart is over, and it waits for its turn.
  bool restart_is_due() const noexcept { return status_.state == State::backoff && !timer_.running(); }
  /// From stopped, done or failed to waiting; its history is forgotten.
  void revive();
  void say_why(std::string why);

 private:
  void enter(State state);
  void on_exit(Exit exit);
  void overdue(std::string why, std::string_view reason, int signal);
  void await_ready();
  void pet();

  Loop& loop_;
  Launcher& launcher_;
  Observer& observer_;
  Unit unit_;
  Hooks hooks_;
  RestartPolicy policy_;
  Status status_;
  std::unique_ptr<Process> process_;
  Timer timer_, watchdog_;
  std::string cause_;  // why this node ended it; empty: it ended by itself
  std::string_view reason_;
  bool watched_ = false;  // it has said WATCHDOG=1
};

}  // namespace weft::node
