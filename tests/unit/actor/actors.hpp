// Small actors and waits that the tests of the runtime share.
#pragma once
#include <poll.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "weft/actor/testing.hpp"

namespace weft::actor::test {

struct Number {
  int value = 0;
};
struct Boom {};  ///< its handler throws
struct Seen {};
using Numbers = std::vector<int>;

/// Keeps what it gets, in order.
class Keeper {
 public:
  using Messages = Handles<Number, Boom, Seen>;
  void on(Number number) { seen_.push_back(number.value); }
  void on(Boom) { throw std::runtime_error("boom"); }
  Numbers on(Seen) const { return seen_; }

 private:
  Numbers seen_;
};

/// Somebody in whose name a test acts: `system.send(actor, Act{[](Context& context) { … }})`.
struct Act {
  std::function<void(Context&)> work;
};
class Actor {
 public:
  using Messages = Handles<Act>;
  void on(const Act& act, Context& context) { act.work(context); }
};

/// The same with a coroutine: it may wait.
struct Play {
  std::function<Task<void>(Context&)> work;
};
class Player {
 public:
  using Messages = Handles<Play, Act, Number, Seen>;
  Task<void> on(Play play, Context& context) {
    auto task = play.work(context);
    co_await task;
  }
  void on(const Act& act, Context& context) { act.work(context); }
  void on(Number number) { seen_.push_back(number.value); }
  Numbers on(Seen) const { return seen_; }

 private:
  Numbers seen_;
};

/// The same with several handlers under way at once.
class Juggler : public Player {
 public:
  static constexpr bool interleaves = true;
};

/// What hooks and destructors tell a test, over threads too.
class Diary {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};
using Lines = std::vector<std::string>;

/// Closed until somebody opens it; nobody waits longer than the deadline of the tests.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 30s, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Runs until idle, then what came.
template <class R>
Result<R> told(TestSystem& system, Pending<R> answer) {
  system.run_until_idle();
  if (!answer.ready()) throw Unexpected("no answer, and nobody has anything to do");
  return answer.wait();
}
template <class T, class M>
auto answer_of(TestSystem& system, const Ref<T>& to, M message) {
  return told(system, system.ask(to, std::move(message)));
}
inline Numbers seen(TestSystem& system, const Address& keeper) {
  system.run_until_idle();  // it may be full
  return told(system, system.ask<Numbers>(keeper, Seen{})).value();
}

/// Real time passes until `done`, or the deadline.
inline bool eventually(const std::function<bool()>& done, Duration deadline = 30s) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    (void)::poll(nullptr, 0, 1);
  }
  return true;
}

inline std::uint64_t dropped(const System& system, Drop reason) {
  return system.totals().dropped[static_cast<std::size_t>(reason)];
}
inline std::uint64_t dropped(const System& system, const Address& actor, Drop reason) {
  return system.info(actor).value().dropped[static_cast<std::size_t>(reason)];
}
inline std::uint32_t depth(const System& system, const Address& actor) { return system.info(actor).value().depth; }
inline SpawnOptions mailbox_of(std::uint32_t capacity, Overflow overflow) {
  SpawnOptions options;
  options.mailbox.capacity = capacity;
  options.mailbox.overflow = overflow;
  return options;
}
inline SpawnOptions named(std::string name) {
  SpawnOptions options;
  options.name = std::move(name);
  return options;
}

}  // namespace weft::actor::test
