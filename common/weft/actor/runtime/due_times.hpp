// When cells are to be woken: by time, for all workers, and the earliest time where each can read it. Thread-safe.
// Private to actor.
#pragma once
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::actor {

struct Cell;

class DueTimes {
 public:
  struct Entry {
    Cell* cell;
    std::uint32_t generation;
  };
  /// True when it is the earliest now.
  bool add(TimePoint when, Cell& cell, std::uint32_t generation);
  /// Never later than the earliest.
  std::optional<TimePoint> earliest() const noexcept;
  bool due(TimePoint now) const noexcept { return earliest_.load(std::memory_order_relaxed) <= ns_of(now); }
  /// All of the earliest time, if it is due, in the order in which they were added; replaces what `out` held.
  void take(TimePoint now, std::vector<Entry>& out);

 private:
  static constexpr std::int64_t kNever = INT64_MAX;
  static std::int64_t ns_of(TimePoint time) noexcept { return time.time_since_epoch().count(); }

  std::atomic<std::int64_t> earliest_{kNever};  // changes under the mutex
  std::mutex mutex_;
  std::map<std::int64_t, std::vector<Entry>> by_time_;  // long timers are rounded: many have one time
};

}  // namespace weft::actor
