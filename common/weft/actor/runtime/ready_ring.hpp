// ReadyRing: what one worker will run next, first in, first out; others take half of it in constant time (the scheme of
// Go's scheduler). Private to actor.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace weft::actor {

struct Cell;

class ReadyRing {
 public:
  static constexpr std::uint32_t kMax = 256, kHalf = kMax / 2;

  /// May be old by the time it is read, but for the owner's own pushes.
  std::uint32_t size() const noexcept {
    return tail_.load(std::memory_order_acquire) - head_.load(std::memory_order_acquire);
  }

  // The owner's.
  /// How many were there before; kMax: it was full and nothing was pushed.
  std::uint32_t push(Cell& cell) noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    const std::uint32_t before = tail - head_.load(std::memory_order_acquire);
    if (before == kMax) return kMax;
    slot(tail).store(&cell, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return before;
  }
  /// Null when it is empty. `alone`: no other thread takes from it.
  Cell* pop(bool alone) noexcept {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    for (;;) {
      if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
      Cell* cell = slot(head).load(std::memory_order_relaxed);
      if (alone) {
        head_.store(head + 1, std::memory_order_relaxed);
        return cell;
      }
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel, std::memory_order_acquire))
        return cell;
    }
  }
  /// The older half of a full one; false, with no effect, if another thread took from it in the meantime.
  bool take_half(std::span<Cell*, kHalf> out) noexcept {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    if (tail_.load(std::memory_order_relaxed) - head != kMax) return false;
    for (std::uint32_t i = 0; i < kHalf; ++i) out[i] = slot(head + i).load(std::memory_order_relaxed);
    return head_.compare_exchange_strong(head, head + kHalf, std::memory_order_acq_rel);
  }

  /// Called by a thief on any thread: moves half of it, rounded up, into the thief's empty ring; returns how many.
  std::uint32_t steal_into(ReadyRing& thief) noexcept {
    std::uint32_t head = head_.load(std::memory_order_acquire);
    const std::uint32_t tail = thief.tail_.load(std::memory_order_relaxed);
    for (;;) {
      const std::uint32_t there = tail_.load(std::memory_order_acquire) - head;
      if (there == 0) return 0;
      if (there > kMax) {  // the two were read apart
        head = head_.load(std::memory_order_acquire);
        continue;
      }
      const std::uint32_t half = there - there / 2;
      for (std::uint32_t i = 0; i < half; ++i) {
        thief.slot(tail + i).store(slot(head + i).load(std::memory_order_relaxed), std::memory_order_relaxed);
      }
      if (head_.compare_exchange_strong(head, head + half, std::memory_order_acq_rel, std::memory_order_acquire)) {
        thief.tail_.store(tail + half, std::memory_order_release);
        return half;
      }
    }
  }

 private:
  std::atomic<Cell*>& slot(std::uint32_t at) noexcept { return slots_[at % kMax]; }

  std::atomic<std::uint32_t> head_{0};
  std::atomic<std::uint32_t> tail_{0};
  std::array<std::atomic<Cell*>, kMax> slots_{};
};

}  // namespace weft::actor
