#include "weft/actor/runtime/due_times.hpp"

namespace weft::actor {

bool DueTimes::add(TimePoint when, Cell& cell, std::uint32_t generation) {
  const std::lock_guard lock(mutex_);
  by_time_[ns_of(when)].push_back({&cell, generation});
  if (ns_of(when) >= earliest_.load(std::memory_order_relaxed)) return false;
  earliest_.store(ns_of(when), std::memory_order_seq_cst);
  return true;
}

std::optional<TimePoint> DueTimes::earliest() const noexcept {
  const std::int64_t at = earliest_.load(std::memory_order_seq_cst);
  if (at == kNever) return std::nullopt;
  return TimePoint(Duration(at));
}

void DueTimes::take(TimePoint now, std::vector<Entry>& out) {
  out.clear();
  const std::lock_guard lock(mutex_);
  if (by_time_.empty() || by_time_.begin()->first > ns_of(now)) return;
  out.swap(by_time_.begin()->second);
  by_time_.erase(by_time_.begin());
  earliest_.store(by_time_.empty() ? kNever : by_time_.begin()->first, std::memory_order_seq_cst);
}

}  // namespace weft::actor
