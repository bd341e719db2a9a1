// What happens to actors, from warning up, goes to the error bus. Private to agent.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "weft/actor/actor.hpp"
#include "weft/report/folds.hpp"

namespace weft {

/// Thread-safe. Borrows the loop; `report` is called there.
class ErrorBusMonitor final : public actor::Monitor {
 public:
  static constexpr std::uint64_t kWaitingMax = 10'000;  ///< events on their way to the loop; of more their number goes

  ErrorBusMonitor(Loop& loop, std::function<void(ErrorEvent)> report);
  bool wants(actor::Level level) const noexcept override { return level >= actor::Level::warning; }
  void record(actor::MonitorEvent event) noexcept override;
  /// Events whose number is not reported either: there was no room for a further issue.
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Overflow {
    std::mutex mutex;
    report::Folds folds;  // guarded by mutex
  };
  void fold(const actor::MonitorEvent& event);

  Loop& loop_;
  std::shared_ptr<std::function<void(ErrorEvent)>> report_;
  std::shared_ptr<Overflow> overflow_ = std::make_shared<Overflow>();
  std::shared_ptr<std::atomic<std::uint64_t>> waiting_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::atomic<std::uint64_t> dropped_{0};
};

/// As the error bus gets it: grouped by what happened and by the actor's class.
ErrorEvent error_event_of(const actor::MonitorEvent& event);

}  // namespace weft
