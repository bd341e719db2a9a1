// Loop: one thread that owns every socket, timer and table of a process. io/ has the real one, tests/support a manual
// one.
#pragma once
#include <cstdint>

#include "weft/base/clock.hpp"
#include "weft/base/function.hpp"

namespace weft {

/// Loop-bound but for post().
class Loop {
 public:
  using Id = std::uint64_t;  ///< never 0 for a live timer or watch

  virtual ~Loop() = default;
  virtual const Clock& clock() const noexcept = 0;
  /// Runs `work` in a later turn. Thread-safe.
  virtual void post(Callback work) = 0;
  /// Runs `work` once when the turn that is running ends, before the loop sleeps: the place to flush batches.
  virtual void at_turn_end(Callback work) = 0;
  /// Runs `work` once, not before `when`.
  virtual Id at(TimePoint when, Callback work) = 0;
  /// No effect on a timer that ran or was cancelled; 0 is fine.
  virtual void cancel(Id timer) noexcept = 0;
  /// Runs `on_readable` whenever `fd` turns readable (edge), until unwatch(). The caller keeps `fd` open and drains it.
  virtual Id watch(int fd, Callback on_readable) = 0;
  virtual void unwatch(Id watch) noexcept = 0;

  TimePoint now() const noexcept { return clock().now(); }
  /// When this turn began: for what need not be exact, without reading the clock.
  virtual TimePoint turn_time() const noexcept { return now(); }
  Id after(Duration delay, Callback work) { return at(now() + delay, std::move(work)); }
};

/// A timer that dies with its owner. Borrows the loop.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Replaces what was set before.
  void start(Duration delay, Callback work) {
    stop();
    id_ = loop_.after(delay, [this, work = std::move(work)]() mutable {
      id_ = 0;
      auto run = std::move(work);
      run();
    });
  }
  void stop() noexcept { loop_.cancel(std::exchange(id_, 0)); }
  bool running() const noexcept { return id_ != 0; }

 private:
  Loop& loop_;
  Loop::Id id_ = 0;
};

}  // namespace weft
