// Schedulers: which thread runs which actor when, and what time it is.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::actor {

struct Cell;
class Runtime;
struct Local;

/// An interface. One scheduler serves one system; it is made by one of the functions below, or by a test.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual const Clock& clock() const noexcept = 0;
  /// The number of its own threads; 0: it runs on a thread of its user.
  virtual unsigned workers() const noexcept = 0;

 protected:
  friend class Runtime;
  friend class System;
  virtual void start(Runtime& runtime) = 0;
  /// Runs `cell` soon. Thread-safe. A cell is ready once until it runs.
  virtual void ready(Cell& cell) noexcept = 0;
  /// Calls the runtime's `due(cell, generation)`, not before `when`. Thread-safe.
  virtual void wake_at(TimePoint when, Cell& cell, std::uint32_t generation) = 0;
  /// Nothing but the cell that runs now is ready on this thread.
  virtual bool nothing_else(const Local&) const noexcept { return false; }
  /// For a caller that blocks outside of the system: runs some turns, or lets time pass. False if it can do neither.
  virtual bool drive(Duration at_most) = 0;
  /// Ends: no cell runs after it. Called once, from outside.
  virtual void stop() noexcept = 0;
};

/// A wake_at() that waits, in a heap. Private to schedulers.
struct Timed {
  TimePoint when;
  std::uint64_t order;
  Cell* cell;
  std::uint32_t generation;
  friend bool operator<(const Timed& a, const Timed& b) noexcept {
    return a.when != b.when ? a.when > b.when : a.order > b.order;  // the earliest on top
  }
};

struct ParallelOptions {
  unsigned workers = 0;      ///< threads, at most 250; 0: one a core
  std::vector<int> cores{};  ///< worker i runs on core cores[i]; empty: anywhere
};
/// Work stealing over threads of its own; idle ones sleep. Real time. Errors of options throw.
std::unique_ptr<Scheduler> parallel(ParallelOptions options = {});

/// Runs actors in turns of `loop` (which must outlive the system): no thread of its own, the time is the loop's.
std::unique_ptr<Scheduler> on_loop(Loop& loop);

}  // namespace weft::actor
