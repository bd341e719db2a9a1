#include "weft/actor/timers.hpp"

namespace weft::actor {

TimerHeap::~TimerHeap() {
  for (TimerEntry* entry : entries_) entry->heap_ = nullptr;
}

void TimerHeap::place(TimerEntry& entry, std::size_t index) noexcept {
  entries_[index] = &entry;
  entry.index_ = index;
}

void TimerHeap::up(std::size_t index) noexcept {
  TimerEntry& moving = *entries_[index];
  while (index > 0) {
    const std::size_t above = (index - 1) / 2;
    if (!before(moving, *entries_[above])) break;
    place(*entries_[above], index);
    index = above;
  }
  place(moving, index);
}

void TimerHeap::down(std::size_t index) noexcept {
  TimerEntry& moving = *entries_[index];
  for (;;) {
    std::size_t below = 2 * index + 1;
    if (below >= entries_.size()) break;
    if (below + 1 < entries_.size() && before(*entries_[below + 1], *entries_[below])) ++below;
    if (!before(*entries_[below], moving)) break;
    place(*entries_[below], index);
    index = below;
  }
  place(moving, index);
}

void TimerHeap::set(TimerEntry& entry, TimePoint when) {
  if (entry.heap_) entry.heap_->cancel(entry);
  entries_.push_back(&entry);
  entry.heap_ = this;
  entry.when_ = when;
  entry.order_ = ++last_order_;
  up(entries_.size() - 1);
}

void TimerHeap::cancel(TimerEntry& entry) noexcept {
  if (entry.heap_ != this) return;
  const std::size_t index = entry.index_;
  entry.heap_ = nullptr;
  TimerEntry& last = *entries_.back();
  entries_.pop_back();
  if (&last == &entry) return;
  place(last, index);
  down(index);
  up(last.index_);
}

TimerEntry* TimerHeap::take_due(TimePoint now) noexcept {
  if (entries_.empty() || entries_.front()->when_ > now) return nullptr;
  TimerEntry& first = *entries_.front();
  cancel(first);
  return &first;
}

}  // namespace weft::actor
