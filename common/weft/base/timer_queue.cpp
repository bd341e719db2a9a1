#include "weft/base/timer_queue.hpp"

namespace weft {

Loop::Id TimerQueue::add(TimePoint when, Callback work) {
  const Loop::Id id = ++last_id_;
  by_time_.emplace(std::pair(when, id), std::move(work));
  times_.emplace(id, when);
  return id;
}

void TimerQueue::cancel(Loop::Id id) noexcept {
  const auto found = times_.find(id);
  if (found == times_.end()) return;
  const auto entry = by_time_.find({found->second, id});
  const Callback dying = std::move(entry->second);  // what it captured may cancel timers when it goes
  by_time_.erase(entry);
  times_.erase(found);
}

std::optional<TimePoint> TimerQueue::earliest() const noexcept {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first.first;
}

Callback TimerQueue::take_due(TimePoint now) {
  const auto first = by_time_.begin();
  if (first == by_time_.end() || first->first.first > now) return {};
  Callback work = std::move(first->second);
  times_.erase(first->first.second);
  by_time_.erase(first);
  return work;
}

}  // namespace weft
