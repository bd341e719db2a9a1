#include "weft/actor/due_times.hpp"

namespace weft::actor {

bool DueTimes::add(TimePoint when, Cell& cell, std::uint32_t generation) {
  const std::lock_guard lock(mutex_);
  heap_.push({when, ++order_, &cell, generation});
  if (ns_of(when) >= earliest_.load(std::memory_order_relaxed)) return false;
  earliest_.store(ns_of(when), std::memory_order_seq_cst);
  return true;
}

std::optional<TimePoint> DueTimes::earliest() const noexcept {
  const std::int64_t at = earliest_.load(std::memory_order_seq_cst);
  if (at == kNever) return std::nullopt;
  return TimePoint(Duration(at));
}

std::size_t DueTimes::take(TimePoint now, std::span<Timed> out) {
  std::size_t count = 0;
  const std::lock_guard lock(mutex_);
  for (; count < out.size() && !heap_.empty() && heap_.top().when <= now; heap_.pop()) out[count++] = heap_.top();
  earliest_.store(heap_.empty() ? kNever : ns_of(heap_.top().when), std::memory_order_seq_cst);
  return count;
}

}  // namespace weft::actor
