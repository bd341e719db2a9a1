// The path of every message, inlined into senders and workers. Private to actor.
#pragma once
#include "weft/actor/runtime/runtime.hpp"

namespace weft::actor {

/// In a loop that waits for another core.
inline void cpu_relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

inline void Runtime::count(std::size_t which) noexcept {
  if (Local* here = own_local()) {
    here->counters.add(which);
  } else {
    outside_[which].fetch_add(1, std::memory_order_relaxed);
  }
}

inline std::uint32_t Runtime::coarse_ms() const noexcept {
  const Local* here = own_local();
  return here ? here->now_ms : ms_of(now());
}

inline void Runtime::stamp(Envelope& envelope, const SendOptions& options, Cell* sender, Envelope* in_hand) {
  if (sender) {
    envelope.sender = sender;
    envelope.sender_generation = sender->generation.load(std::memory_order_relaxed);
  }
  envelope.sent_ms = coarse_ms();
  envelope.priority = options.priority;
  const bool plain = options.ttl == Duration() && !options.reply_to && !options.trace;
  if (plain && !(in_hand && in_hand->rare && in_hand->rare->traced) && !current_trace()) return;
  stamp_rare(envelope, options, in_hand);
}

inline bool Runtime::push(Cell& cell, Envelope* envelope) noexcept {
  std::uintptr_t seen = cell.inbox.load(std::memory_order_relaxed);
  for (;;) {
    if (seen == Cell::kClosed) return false;
    envelope->next = seen <= Cell::kIdle ? nullptr : reinterpret_cast<Envelope*>(seen);
    // Do not touch it after this: it may have been handled and freed.
    const std::uint32_t sent_ms = envelope->sent_ms;
    if (cell.inbox.compare_exchange_weak(seen, reinterpret_cast<std::uintptr_t>(envelope), std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
      if (seen == Cell::kIdle) {
        cell.oldest_ms.store(sent_ms, std::memory_order_relaxed);
        scheduler_->ready(cell);
      }
      return true;
    }
  }
}

/// Counts the message in, if there is room. `handled` is written by the receiver with every message, so senders look at
/// it only when what they saw last leaves no room.
inline bool Runtime::admit(Cell& cell) noexcept {
  const std::uint32_t capacity = cell.capacity.load(std::memory_order_relaxed);
  if (capacity == 0) {
    cell.accepted.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  std::uint32_t accepted = cell.accepted.load(std::memory_order_relaxed);
  do {
    if (accepted - cell.handled_seen.load(std::memory_order_relaxed) < capacity) continue;
    const std::uint32_t handled = cell.handled.load(std::memory_order_seq_cst);
    cell.handled_seen.store(handled, std::memory_order_relaxed);
    if (accepted - handled >= capacity) return false;
  } while (!cell.accepted.compare_exchange_weak(accepted, accepted + 1, std::memory_order_relaxed));
  return true;
}

inline bool Runtime::can_handle(const Cell& cell) noexcept {
  const State state = cell.state.load(std::memory_order_relaxed);
  if (state != State::running && !(state == State::stopping && cell.is(Cell::kHolding))) return false;
  return !cell.is(Cell::kSuspended) &&
         !(cell.type->interleaves && cell.side && cell.side->activation_count >= cell.type->interleaves_max);
}

inline void Runtime::after_message(Cell& cell) {
  if ((cell.flags & (Cell::kFailing | Cell::kStopWanted)) != 0) [[unlikely]]
    fail_or_stop(cell);
}

/// Rings of envelopes: `last` is the newest, last->next the oldest.
inline Envelope* take_first(Envelope*& last) noexcept {
  Envelope* first = last->next;
  if (first == last) {
    last = nullptr;
  } else {
    last->next = first->next;
  }
  return first;
}

inline Envelope* Runtime::next_message(Cell& cell) {
  if (cell.is(Cell::kLanes) || !cell.last) [[unlikely]]
    return next_special(cell);
  Envelope* first = take_first(cell.last);
  if (cell.last) __builtin_prefetch(cell.last->next);
  return first;
}

}  // namespace weft::actor
