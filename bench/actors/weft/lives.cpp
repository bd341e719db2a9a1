// What the lives of actors cost in Weft: spawn, memory, skynet, restart.
#include <future>
#include <stdexcept>
#include <vector>

#include "bench/actors/weft/rows.hpp"

namespace weft::bench::actors {

namespace {

using actor::Address;
using actor::Context;
using actor::Down;
using actor::Handles;
using actor::Ref;
using actor::System;

struct Go {};
struct Born {};
struct Crash {};
struct Ask {
  std::uint64_t number = 0;
};
struct Sum {
  std::uint64_t value = 0;
};
constexpr std::uint64_t brood = 1000;  // how many live at once where spawning is measured

/// Tells `parent` when it is the last of `unborn` that starts. All run on one worker.
class Child {
 public:
  using Messages = Handles<Ask>;
  Child(Address parent, std::uint64_t& unborn) : parent_(parent), unborn_(unborn) {}
  void pre_start(Context& context) {
    if (--unborn_ == 0) (void)context.send(parent_, Born());
  }
  std::uint64_t on(Ask ask) { return ask.number; }

 private:
  Address parent_;
  std::uint64_t& unborn_;
};

/// Spawns broods until `n` were born; the time in which a brood goes does not count.
class Parent {
 public:
  using Messages = Handles<Go, Born, Down>;
  Parent(std::uint64_t n, std::promise<Clock::duration>& over) : broods_(n / brood), over_(over) {
    children_.reserve(brood);
  }
  void on(Go, Context& context) {
    start_ = Clock::now();
    for (unborn_ = brood; children_.size() < brood;)
      children_.push_back(context.spawn<Child>({}, context.self(), unborn_).value());
  }
  void on(Born, Context& context) {
    total_ += Clock::now() - start_;
    for (const auto& child : children_) {
      context.watch(child);
      context.stop(child);
    }
  }
  void on(const Down&, Context& context) {
    children_.pop_back();
    if (!children_.empty()) return;
    if (--broods_ > 0) return (void)context.send(context.self(), Go());
    over_.set_value(total_);
  }

 private:
  std::uint64_t broods_, unborn_ = 0;
  std::promise<Clock::duration>& over_;
  std::vector<Ref<Child>> children_;
  Clock::time_point start_{};
  Clock::duration total_{};
};

/// Spawns one after the other, each when the one before has answered.
class Asker {
 public:
  using Messages = Handles<Go, Down>;
  Asker(std::uint64_t n, std::promise<Clock::duration>& over) : broods_(n / brood), over_(over) {
    children_.reserve(brood);
  }
  Task<void> on(Go, Context& context) {
    const Ask question{1};
    const auto start = Clock::now();
    while (children_.size() < brood) {
      children_.push_back(context.spawn<Child>({}, Address(), unborn_).value());
      const auto answer = co_await context.request(children_.back(), question, Duration());
      if (!answer) throw std::runtime_error(answer.error().message);
    }
    total_ += Clock::now() - start;
    for (const auto& child : children_) {
      context.watch(child);
      context.stop(child);
    }
  }
  void on(const Down&, Context& context) {
    children_.pop_back();
    if (!children_.empty()) return;
    if (--broods_ > 0) return (void)context.send(context.self(), Go());
    over_.set_value(total_);
  }

 private:
  std::uint64_t broods_, unborn_ = 0;
  std::promise<Clock::duration>& over_;
  std::vector<Ref<Child>> children_;
  Clock::duration total_{};
};

template <class Spawner>
double each(System& system, std::uint64_t n) {
  std::promise<Clock::duration> over;
  (void)system.send(system.spawn<Spawner>(unbounded(), n, over).value(), Go());
  return nanoseconds(over.get_future().get()) / static_cast<double>(n);
}

/// Hands what it is told to main().
class Collector {
 public:
  using Messages = Handles<Born, Sum>;
  explicit Collector(std::promise<std::uint64_t>& result) : result_(result) {}
  void on(Born) { result_.set_value(0); }
  void on(Sum sum) { result_.set_value(sum.value); }

 private:
  std::promise<std::uint64_t>& result_;
};

/// A leaf says its number, all others the sum of their ten children.
class Node {
 public:
  using Messages = Handles<Sum>;
  Node(Address parent, std::uint64_t number, std::uint64_t size) : parent_(parent), number_(number), size_(size) {}
  void pre_start(Context& context) {
    if (size_ == 1) return say(number_, context);
    const std::uint64_t part = size_ / 10;
    for (std::uint64_t i = 0; i < 10; ++i) (void)context.spawn<Node>({}, context.self(), number_ + i * part, part);
  }
  void on(Sum sum, Context& context) {
    sum_ += sum.value;
    if (--open_ == 0) say(sum_, context);
  }

 private:
  void say(std::uint64_t sum, Context& context) {
    (void)context.send(parent_, Sum{sum});
    context.stop();
  }
  Address parent_;
  std::uint64_t number_, size_, sum_ = 0, open_ = 10;
};

class Crasher {
 public:
  using Messages = Handles<Crash>;
  explicit Crasher(Address client) : client_(client) {}
  void pre_start(Context& context) { (void)context.send(client_, Born()); }
  void on(Crash) { throw std::runtime_error("asked to"); }

 private:
  Address client_;
};

/// Crashes the child of the root supervisor; the median of the times until it is there again.
class Client {
 public:
  using Messages = Handles<Born>;
  Client(std::uint64_t n, std::promise<double>& over) : n_(n), over_(over) {}
  void pre_start(Context& context) { crasher_ = context.system().start<Crasher>({}, {}, context.self()).value(); }
  void on(Born, Context& context) {
    const auto now = Clock::now();
    if (start_ != Clock::time_point{}) times_us_.push_back(microseconds(now - start_));
    if (times_us_.size() == n_) {
      context.stop(crasher_);
      return over_.set_value(median(times_us_));
    }
    start_ = Clock::now();
    (void)context.send(crasher_, Crash());
  }

 private:
  std::uint64_t n_;
  std::promise<double>& over_;
  Ref<Crasher> crasher_;
  std::vector<double> times_us_;
  Clock::time_point start_{};
};

double crash_and_restart(System& system, std::uint64_t n) {
  std::promise<double> over;
  (void)system.spawn<Client>({}, n, over);
  return over.get_future().get();
}

}  // namespace

double spawn(std::uint64_t n) { return warmed({.workers = 1}, n, each<Parent>); }
double first_answer(std::uint64_t n) { return warmed({.workers = 1}, n, each<Asker>); }

double memory_idle(std::uint64_t n) {
  auto& system = *new System(actor::parallel({.workers = 1}));  // never taken down: that takes long
  std::promise<std::uint64_t> all;
  const auto collector = system.spawn<Collector>({}, all).value();
  std::uint64_t unborn = n;
  const double before = resident_bytes();
  for (std::uint64_t i = 0; i < n; ++i) (void)system.spawn<Child>({}, collector, unborn);
  all.get_future().wait();
  return (resident_bytes() - before) / static_cast<double>(n);
}

double skynet_1m(std::uint64_t n) {
  System system(actor::parallel({.workers = 1}));
  std::promise<std::uint64_t> all;
  const auto collector = system.spawn<Collector>({}, all).value();
  const auto start = Clock::now();
  (void)system.spawn<Node>({}, collector, std::uint64_t{0}, n);
  const std::uint64_t sum = all.get_future().get();
  const auto time = Clock::now() - start;
  if (sum != n * (n - 1) / 2) throw std::runtime_error("wrong sum");
  return milliseconds(time);
}

/// With reports: a monitor that records each failure and each restart.
double restart(std::uint64_t n) {
  actor::RecordingMonitor monitor;
  const actor::Intensity no_limit{0, 1s};
  actor::SystemOptions options;
  options.root.child_limit = options.root.total_limit = no_limit;
  options.root.backoff = actor::Backoff::none();
  System system(actor::parallel({.workers = 1}), options, &monitor);
  crash_and_restart(system, n / 10);
  return crash_and_restart(system, n);
}

}  // namespace weft::bench::actors
