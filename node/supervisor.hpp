// The processes of one host: started in order of their needs, kept running, stopped in reverse order. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node/child.hpp"

namespace weft::node {

class Supervisor {
 public:
  /// Borrows all. At most `starts_at_once` processes start at the same time, so that many do not take each other's
  /// start_timeout; one that is not ready after kStartPlace gives its place to the next.
  Supervisor(Loop& loop, Launcher& launcher, Observer& observer, std::size_t starts_at_once = 64);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Before start(). Needs must have been added before what needs them.
  void add(Unit unit);
  /// Takes over a process of a former node, ready; before start(). False: it has ended.
  bool adopt(std::string_view name, ProcessId id);
  /// Starts each unit as soon as all that it needs is ready (or done).
  void start();
  void notified(const Notification& notification);
  /// The registry has an instance of this unit: that counts as READY=1 when `pid` is its process.
  void registered(std::string_view name, pid_t pid);
  /// `catch_up` passes on the notifications that wait in the node's socket: called before a child is ended for silence.
  void before_judging(std::function<void()> catch_up) { catch_up_ = std::move(catch_up); }

  /// Ends these units, those that need others first; after `budget` all that still runs is killed.
  Task<void> stop(std::vector<std::string> names, Duration budget);
  /// One unit, whatever needs it. Errors: `unknown_agent` with the nearest name.
  Result<void> start_one(std::string_view name);
  Task<Result<void>> stop_one(std::string name);
  Task<Result<void>> restart_one(std::string name);
  /// KILL to everything, at once.
  void kill_all() noexcept;

  /// Resolves when nothing is on its way: each unit is ready, has ended for good, or waits for one that did.
  Task<void> settled();
  bool is_settled() const noexcept;
  /// Resolves when `done` says so; it is asked after each change of a state.
  Task<void> when(std::function<bool()> done);

  const std::vector<std::unique_ptr<Child>>& children() const noexcept { return children_; }  ///< as added
  const Child* find(std::string_view name) const noexcept;

  static constexpr Duration kStartPlace = std::chrono::seconds(2);

 private:
  struct Waiter {
    std::function<bool()> done;
    Completion<bool>::Completer completer;
  };
  Child* find(std::string_view name) noexcept;
  Error unknown(std::string_view name) const;
  bool may_judge();
  bool stood_still();
  void beat();
  void step_soon();
  void step();
  void start_what_can();
  /// What `child` waits for, as its status says it; empty: nothing.
  std::string missing_needs(const Child& child) const;
  std::size_t free_places() const noexcept;
  void stop_what_can();
  bool unwanted(const Child& child) const noexcept;
  bool blocked(const Child& child) const noexcept;

  Loop& loop_;
  Launcher& launcher_;
  Observer& observer_;
  std::vector<std::unique_ptr<Child>> children_;
  std::vector<const Child*> unwanted_;
  std::vector<Waiter> waiters_;
  std::function<void()> catch_up_;
  TimePoint last_beat_;
  Timer beat_;
  std::size_t starts_at_once_;
  bool started_ = false;
  Timer step_, place_;  // they end with this object, so a step never comes late
};

}  // namespace weft::node
