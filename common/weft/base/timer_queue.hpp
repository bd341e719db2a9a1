// TimerQueue: callbacks ordered by time. Pure; the loops build their timers on it.
#pragma once
#include <map>
#include <optional>
#include <unordered_map>

#include "weft/base/loop.hpp"

namespace weft {

class TimerQueue {
 public:
  Loop::Id add(TimePoint when, Callback work);
  void cancel(Loop::Id id) noexcept;
  std::optional<TimePoint> earliest() const noexcept;
  /// The work of the earliest timer that is due at `now`, in order of time, then of adding; empty when none is due.
  Callback take_due(TimePoint now);
  std::size_t size() const noexcept { return by_time_.size(); }

 private:
  std::map<std::pair<TimePoint, Loop::Id>, Callback> by_time_;
  std::unordered_map<Loop::Id, TimePoint> times_;
  Loop::Id last_id_ = 0;
};

}  // namespace weft
