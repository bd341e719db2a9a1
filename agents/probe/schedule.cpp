// A heap of due times.
#include "agents/probe/schedule.hpp"

#include <algorithm>

namespace weft::probe {

namespace {
Duration times(Duration duration, double factor) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::nano>(duration) * factor);
}
}  // namespace

void Schedule::begin(std::size_t what, Duration period, TimePoint now) {
  queue_.push({now + times(std::min(period, start_within), random_.unit()), what});
}

void Schedule::again(std::size_t what, Duration period, TimePoint started, TimePoint now) {
  const auto due = started + times(period, 1 - jitter + 2 * jitter * random_.unit());
  queue_.push({std::max(due, now), what});
}

std::optional<TimePoint> Schedule::earliest() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.top().at;
}

std::optional<std::size_t> Schedule::take(TimePoint now) {
  if (queue_.empty() || queue_.top().at > now) return std::nullopt;
  const auto what = queue_.top().what;
  queue_.pop();
  return what;
}

}  // namespace weft::probe
