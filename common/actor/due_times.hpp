// When cells are to be woken: one heap for all workers, and the earliest time where each can read it. Thread-safe.
// Private to actor.
#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <queue>
#include <span>

#include "weft/actor/scheduler.hpp"

namespace weft::actor {

class DueTimes {
 public:
  /// True when it is the earliest now.
  bool add(TimePoint when, Cell& cell, std::uint32_t generation);
  /// Never later than the earliest.
  std::optional<TimePoint> earliest() const noexcept;
  bool due(TimePoint now) const noexcept { return earliest_.load(std::memory_order_relaxed) <= ns_of(now); }
  /// Moves as many as are due and fit into `out`; how many.
  std::size_t take(TimePoint now, std::span<Timed> out);

 private:
  static constexpr std::int64_t kNever = INT64_MAX;
  static std::int64_t ns_of(TimePoint time) noexcept { return time.time_since_epoch().count(); }

  std::atomic<std::int64_t> earliest_{kNever};  // changes under the mutex
  std::mutex mutex_;
  std::priority_queue<Timed> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace weft::actor
