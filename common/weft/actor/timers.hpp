// An actor's own timers: a heap that knows where each timer is, so that one is cancelled without a search.
#pragma once
#include <vector>

#include "weft/base/base.hpp"

namespace weft::actor {

/// Owned by the waiter; removes itself when destroyed. Used in its actor's turns only.
class TimerEntry {
 public:
  TimerEntry() = default;
  TimerEntry(const TimerEntry&) = delete;
  TimerEntry& operator=(const TimerEntry&) = delete;
  virtual void due() = 0;

 protected:
  virtual ~TimerEntry();

 private:
  friend class TimerHeap;
  class TimerHeap* heap_ = nullptr;
  std::size_t index_ = 0;
  TimePoint when_{};
  std::uint64_t order_ = 0;
};

/// Timers of one time run in the order in which they were set.
class TimerHeap {
 public:
  TimerHeap() = default;
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;
  ~TimerHeap();
  /// Sets or resets it.
  void set(TimerEntry& entry, TimePoint when);
  void cancel(TimerEntry& entry) noexcept;
  /// Removes and returns the earliest timer if it is due, else null.
  TimerEntry* take_due(TimePoint now) noexcept;
  bool empty() const noexcept { return entries_.empty(); }
  TimePoint earliest() const noexcept { return entries_.front()->when_; }
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  static bool before(const TimerEntry& a, const TimerEntry& b) noexcept {
    return a.when_ != b.when_ ? a.when_ < b.when_ : a.order_ < b.order_;
  }
  void place(TimerEntry& entry, std::size_t index) noexcept;
  void up(std::size_t index) noexcept;
  void down(std::size_t index) noexcept;

  std::vector<TimerEntry*> entries_;
  std::uint64_t last_order_ = 0;
};

inline TimerEntry::~TimerEntry() {
  if (heap_) heap_->cancel(*this);
}

}  // namespace weft::actor
