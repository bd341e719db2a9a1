// What few mailboxes need and senders touch: waiting senders, counts of dropped messages, the messages of drop_oldest
// mailboxes. Kept beside the cells, by cell, under striped locks. Thread-safe. Private to actor.
#pragma once
#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <unordered_map>

#include "weft/actor/message.hpp"

namespace weft::actor {

/// A sender whose message waits outside. `done` is called once: accepted, or not because the actor ended.
struct WaitingSender {
  Envelope* envelope = nullptr;
  UniqueFunction<void(bool accepted)> done{};
  std::uint64_t ticket = 0;
};

class FullMailboxes {
 public:
  struct Entry {
    std::deque<WaitingSender> waiting;
    std::deque<Envelope*> messages;  ///< of a drop_oldest mailbox, oldest first
    std::size_t urgent = 0;          ///< of those, above normal
    std::uint32_t picks = 0;         ///< from those
    Address redirect_to;
    std::array<std::uint64_t, kDropReasons> dropped{};

    Envelope* take(std::deque<Envelope*>::iterator at) {
      Envelope* envelope = *at;
      messages.erase(at);
      if (envelope->priority > Priority::normal) --urgent;
      return envelope;
    }
    /// The oldest, or null; with `overtaking` the oldest of the highest priority, when that is above normal.
    Envelope* take_next(bool overtaking) {
      if (messages.empty()) return nullptr;
      auto next = messages.begin();
      if (overtaking && urgent > 0) {
        next = std::max_element(next, messages.end(),
                                [](const Envelope* a, const Envelope* b) { return a->priority < b->priority; });
      }
      return take(next);
    }
    void put_back(Envelope* envelope) {  ///< what take_next() brought
      messages.push_front(envelope);
      --picks;
      if (envelope->priority > Priority::normal) ++urgent;
    }
    void put(Envelope* envelope) {
      messages.push_back(envelope);
      if (envelope->priority > Priority::normal) ++urgent;
    }
  };
  /// Calls `use(entry)` under the lock of the cell; creates the entry if it is missing.
  template <class F>
  decltype(auto) with(const Cell& cell, F&& use) {
    Stripe& stripe = of(cell);
    const std::lock_guard lock(stripe.mutex);
    return use(stripe.entries[&cell]);
  }
  /// As with(), but nothing (and false) when there is no entry.
  template <class F>
  bool with_existing(const Cell& cell, F&& use) {
    Stripe& stripe = of(cell);
    const std::lock_guard lock(stripe.mutex);
    const auto found = stripe.entries.find(&cell);
    if (found == stripe.entries.end()) return false;
    use(found->second);
    return true;
  }
  /// As with(), but nothing (and false) when not `alive()`, which is asked under the lock.
  template <class Alive, class F>
  bool with_if(const Cell& cell, Alive&& alive, F&& use) {
    Stripe& stripe = of(cell);
    const std::lock_guard lock(stripe.mutex);
    if (!alive()) return false;
    use(stripe.entries[&cell]);
    return true;
  }
  /// What is left of it passes to the caller.
  Entry remove(const Cell& cell) {
    Stripe& stripe = of(cell);
    const std::lock_guard lock(stripe.mutex);
    const auto found = stripe.entries.find(&cell);
    if (found == stripe.entries.end()) return {};
    Entry entry = std::move(found->second);
    stripe.entries.erase(found);
    return entry;
  }

 private:
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<const Cell*, Entry> entries;
  };
  static constexpr std::size_t kStripes = 64;
  Stripe& of(const Cell& cell) noexcept { return stripes_[(reinterpret_cast<std::uintptr_t>(&cell) >> 4) % kStripes]; }
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace weft::actor
