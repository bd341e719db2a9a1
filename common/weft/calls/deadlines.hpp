// Deadlines: very many timers that are nearly always taken back before they ring: a wheel of lists, so that setting and
// taking back cost a few instructions. Rings up to one tick late, never early. Pure; private to mesh.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "weft/base/base.hpp"

namespace weft::calls {

class Deadlines {
 public:
  static constexpr Duration kTick = 1ms;

  /// Owned by whoever waits; leaves the wheel with its owner.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { unlink(); }
    bool set() const noexcept { return next_ != nullptr; }
    void unlink() noexcept {
      if (!next_) return;
      previous_->next_ = next_;
      next_->previous_ = previous_;
      next_ = previous_ = nullptr;
      --wheel_->size_;
    }

   private:
    friend class Deadlines;
    Entry* next_ = nullptr;
    Entry* previous_ = nullptr;
    Deadlines* wheel_ = nullptr;
    std::int64_t tick_ = 0;
  };

  explicit Deadlines(TimePoint now) : done_(floor(now)) {
    for (auto& slot : slots_) slot.next_ = slot.previous_ = &slot;
  }
  ~Deadlines() {
    for (auto& slot : slots_) {
      while (slot.next_ != &slot) slot.next_->unlink();
      slot.next_ = slot.previous_ = nullptr;  // its own destructor has nothing to unlink
    }
  }
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  void add(Entry& entry, TimePoint when) noexcept {
    entry.unlink();
    entry.tick_ = std::max(floor(when) + 1, done_ + 1);
    entry.wheel_ = this;
    Entry& slot = slots_[index(entry.tick_)];
    entry.previous_ = slot.previous_;
    entry.next_ = &slot;
    slot.previous_->next_ = &entry;
    slot.previous_ = &entry;
    ++size_;
  }
  std::size_t size() const noexcept { return size_; }

  /// When the first of all rings; nothing while the wheel is empty. Walks what lies before it.
  std::optional<TimePoint> next() const noexcept {
    if (size_ == 0) return std::nullopt;
    std::int64_t later = INT64_MAX;
    for (std::int64_t tick = done_ + 1; tick <= done_ + kSlots; ++tick) {
      const Entry& slot = slots_[index(tick)];
      for (const Entry* entry = slot.next_; entry != &slot; entry = entry->next_) {
        if (entry->tick_ == tick) return TimePoint(kTick * tick);
        later = std::min(later, entry->tick_);
      }
    }
    return TimePoint(kTick * later);
  }

  /// Takes out one entry whose time has come, in order of their ticks; null when there is none.
  Entry* take_due(TimePoint now) noexcept {
    const std::int64_t last = floor(now);
    if (size_ == 0) {
      done_ = std::max(done_, last);
      return nullptr;
    }
    if (last - done_ > kSlots) done_ = std::max(done_, std::min(oldest() - 1, last));
    for (; done_ < last; ++done_) {
      Entry& slot = slots_[index(done_ + 1)];
      for (Entry* entry = slot.next_; entry != &slot; entry = entry->next_) {
        if (entry->tick_ > done_ + 1) continue;  // a later turn of the wheel
        entry->unlink();
        return entry;
      }
    }
    return nullptr;
  }

 private:
  static constexpr std::int64_t kSlots = 512;
  static std::size_t index(std::int64_t tick) noexcept { return static_cast<std::size_t>(tick & (kSlots - 1)); }
  static std::int64_t floor(TimePoint at) noexcept { return at.time_since_epoch() / kTick; }
  /// The first tick that anybody waits for. After a long pause only: walks everything.
  std::int64_t oldest() const noexcept {
    std::int64_t first = INT64_MAX;
    for (const Entry& slot : slots_) {
      for (const Entry* entry = slot.next_; entry != &slot; entry = entry->next_) first = std::min(first, entry->tick_);
    }
    return first;
  }

  std::array<Entry, kSlots> slots_;
  std::int64_t done_;  // ticks up to this one have rung
  std::size_t size_ = 0;
};

}  // namespace weft::calls
