// Schedule: when each of many things is due, with jitter so that they do not march in step. Pure: one heap, no timers.
#pragma once
#include <optional>
#include <queue>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::probe {

/// Borrows `random`. A thing that was taken is not in it until it is put back.
class Schedule {
 public:
  static constexpr double jitter = 0.1;  ///< of a period, to both sides
  static constexpr Duration start_within =
      std::chrono::seconds(10);  ///< the first turn of each, or its period if shorter
  explicit Schedule(Random& random) : random_(random) {}

  void begin(std::size_t what, Duration period, TimePoint now);
  /// Due again a period after `started`, never before `now`.
  void again(std::size_t what, Duration period, TimePoint started, TimePoint now);
  std::optional<TimePoint> earliest() const;
  /// What is due at `now` for longest.
  std::optional<std::size_t> take(TimePoint now);
  std::size_t size() const noexcept { return queue_.size(); }

 private:
  struct Due {
    TimePoint at;
    std::size_t what;
    friend bool operator<(const Due& a, const Due& b) noexcept { return a.at > b.at; }  // the earliest on top
  };
  Random& random_;
  std::priority_queue<Due> queue_;
};

}  // namespace weft::probe
