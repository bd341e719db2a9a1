// ManualLoop: a loop whose time a test moves by hand. File descriptors are polled without waiting at each turn().
#pragma once
#include <poll.h>

#include <deque>
#include <functional>
#include <map>

#include "weft/base/base.hpp"

namespace weft::test {

class ManualLoop final : public Loop {
 public:
  const Clock& clock() const noexcept override { return clock_; }
  void post(Callback work) override { posted_.push_back(std::move(work)); }
  void at_turn_end(Callback work) override { turn_end_.push_back(std::move(work)); }
  Id at(TimePoint when, Callback work) override { return timers_.add(when, std::move(work)); }
  void cancel(Id timer) noexcept override { timers_.cancel(timer); }
  Id watch(int fd, Callback on_readable) override {
    const Id id = ++last_watch_;
    watches_.emplace(id, Watch{fd, std::make_shared<Callback>(std::move(on_readable))});
    return id;
  }
  void unwatch(Id id) noexcept override { watches_.erase(id); }

  /// Runs what was posted, what is due and what is readable, once each. True when something ran.
  bool turn() {
    bool ran = false;
    for (auto work = std::exchange(posted_, {}); !work.empty(); work.pop_front()) {
      work.front()();
      ran = true;
    }
    for (std::size_t due = timers_.size(); due > 0; --due) {
      auto work = timers_.take_due(clock_.now());
      if (!work) break;
      work();
      ran = true;
    }
    ran = poll_watches() || ran;
    for (auto work = std::exchange(turn_end_, {}); !work.empty(); work.pop_front()) work.front()();
    return ran;
  }
  /// Moves time in steps of at most `step` and turns after each.
  void advance(Duration by, Duration step = std::chrono::milliseconds(10)) {
    while (by > Duration::zero()) {
      const auto one = std::min(by, step);
      clock_.advance(one);
      by -= one;
      for (int i = 0; i < 1000 && turn(); ++i) {
      }
    }
  }
  /// Turns without moving time until `done`, for at most `limit` of real time: other threads (ZeroMQ's) need some of
  /// it.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::seconds(5)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (!turn()) wait_readable();
    }
    return true;
  }
  ManualClock& time() noexcept { return clock_; }

 private:
  struct Watch {
    int fd;
    std::shared_ptr<Callback> work;
  };
  std::vector<pollfd> pollfds() const {
    std::vector<pollfd> fds;
    for (const auto& [id, watch] : watches_) fds.push_back({watch.fd, POLLIN, 0});
    return fds;
  }
  void wait_readable() {
    auto fds = pollfds();
    (void)::poll(fds.data(), fds.size(), 1);
  }
  bool poll_watches() {
    auto fds = pollfds();
    if (::poll(fds.data(), fds.size(), 0) <= 0) return false;
    std::vector<std::shared_ptr<Callback>> ready;
    std::size_t i = 0;
    for (const auto& [id, watch] : watches_) {
      if (fds[i++].revents != 0) ready.push_back(watch.work);
    }
    for (auto& work : ready) (*work)();
    return !ready.empty();
  }

  ManualClock clock_;
  TimerQueue timers_;
  std::deque<Callback> posted_, turn_end_;
  std::map<Id, Watch> watches_;
  Id last_watch_ = 0;
};

}  // namespace weft::test
