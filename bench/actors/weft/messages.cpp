// What messages cost in Weft: throughput, round trips, wakes, delivery under load, timers.
#include <algorithm>
#include <future>
#include <memory>
#include <vector>

#include "bench/actors/weft/rows.hpp"

namespace weft::bench::actors {

namespace {

using actor::Context;
using actor::Handles;
using actor::Ref;
using actor::System;

struct Item {
  std::uint64_t number = 0;
};
struct Go {};
struct Credit {};
struct Tick {};
constexpr std::uint64_t batch = 100, window_size = 10'000, credit_step = 1'000;

class Player;
struct Serve {
  Ref<Player> peer;
  std::uint64_t ball = 0;
};

/// Returns the ball, one less, until it says 0.
class Player {
 public:
  using Messages = Handles<Item, Serve>;
  explicit Player(std::promise<void>& over) : over_(over) {}
  void on(Item ball, Context& context) {
    if (ball.number == 0) return over_.set_value();
    (void)context.send(peer_, Item{ball.number - 1});
  }
  void on(Serve serve, Context& context) {
    peer_ = serve.peer;
    if (serve.ball > 0) (void)context.send(peer_, Item{serve.ball});
  }

 private:
  std::promise<void>& over_;
  Ref<Player> peer_;
};

Clock::duration play(System& system, std::uint64_t n, actor::SpawnOptions here, actor::SpawnOptions there) {
  std::promise<void> over;
  const auto a = system.spawn<Player>(std::move(here), over).value();
  const auto b = system.spawn<Player>(std::move(there), over).value();
  (void)system.send(b, Serve{a, 0});
  const auto start = Clock::now();
  (void)system.send(a, Serve{b, n});
  over.get_future().wait();
  return Clock::now() - start;
}

struct Ask {
  std::uint64_t number = 0;
};
class Echo {
 public:
  using Messages = Handles<Ask>;
  std::uint64_t on(Ask ask) { return ask.number; }
};

struct Start {
  std::uint64_t n = 0;
};
class Asker {
 public:
  using Messages = Handles<Start>;
  Asker(Ref<Echo> server, std::promise<void>& over) : server_(server), over_(over) {}
  Task<void> on(Start start, Context& context) {
    for (std::uint64_t left = start.n; left > 0; --left) {
      const Ask question{left};
      const auto answer = co_await context.request(server_, question, Duration());
      if (!answer) break;
    }
    over_.set_value();
  }

 private:
  Ref<Echo> server_;
  std::promise<void>& over_;
};

double ask(System& system, std::uint64_t n) {
  std::promise<void> over;
  const auto asker = system.spawn<Asker>({}, system.spawn<Echo>().value(), over).value();
  const auto start = Clock::now();
  (void)system.send(asker, Start{n});
  over.get_future().wait();
  return nanoseconds(Clock::now() - start) / static_cast<double>(n);
}

class Answerer {
 public:
  using Messages = Handles<Item>;
  void on(Item item, Context& context) { (void)context.send(context.sender(), item); }
};
/// A round trip after each pause, in which both workers have gone to sleep; the median.
class Waker {
 public:
  using Messages = Handles<Go, Item>;
  Waker(Ref<Answerer> there, std::uint64_t n, std::promise<double>& over) : there_(there), n_(n), over_(over) {}
  void on(Go, Context& context) {
    start_ = Clock::now();
    (void)context.send(there_, Item());
  }
  void on(Item, Context& context) {
    times_us_.push_back(microseconds(Clock::now() - start_));
    if (times_us_.size() == n_) return over_.set_value(median(times_us_));
    (void)context.send_after(wake_pause, Go());
  }

 private:
  Ref<Answerer> there_;
  std::uint64_t n_;
  std::promise<double>& over_;
  Clock::time_point start_{};
  std::vector<double> times_us_;
};

/// Counts to `n`, then says so. Gives the sender credit by the thousand.
class Counter {
 public:
  using Messages = Handles<Item>;
  Counter(std::uint64_t n, std::promise<void>& over) : left_(n), over_(over) {}
  void on(Item, Context& context) {
    if (--left_ % credit_step == 0) (void)context.send(context.sender(), Credit());
    if (left_ == 0) over_.set_value();
  }

 private:
  std::uint64_t left_;
  std::promise<void>& over_;
};

/// Sends `n` messages, a hundred a turn, and never has more than `window` under way.
class Sender {
 public:
  using Messages = Handles<Go, Credit>;
  Sender(Ref<Counter> to, std::uint64_t n, std::uint64_t window) : to_(to), left_(n), window_(window) {}
  void on(Go, Context& context) { turn(context); }
  void on(Credit, Context& context) {
    const bool waits = window_ == 0;
    window_ += credit_step;
    if (waits) turn(context);
  }

 private:
  void turn(Context& context) {
    const std::uint64_t some = std::min({left_, window_, batch});
    for (std::uint64_t i = 0; i < some; ++i) (void)context.send(to_, Item{i});
    left_ -= some;
    window_ -= some;
    if (left_ > 0 && window_ > 0) (void)context.send(context.self(), Go());
  }
  Ref<Counter> to_;
  std::uint64_t left_, window_;
};

double stream(System& system, std::uint64_t n) {
  std::promise<void> over;
  const auto counter = system.spawn<Counter>(unbounded(1), n, over).value();
  const auto sender = system.spawn<Sender>(on_worker(0), counter, n, window_size).value();
  const auto start = Clock::now();
  (void)system.send(sender, Go());
  over.get_future().wait();
  return rate(n, Clock::now() - start);
}

double fan_in(System& system, std::uint64_t n) {
  constexpr std::uint64_t senders_count = 100;
  std::promise<void> over;
  const auto counter = system.spawn<Counter>(unbounded(), n, over).value();
  std::vector<Ref<Sender>> senders;
  for (std::uint64_t i = 0; i < senders_count; ++i)
    senders.push_back(system.spawn<Sender>({}, counter, n / senders_count, n).value());
  const auto start = Clock::now();
  for (const auto& sender : senders) (void)system.send(sender, Go());
  over.get_future().wait();
  return rate(n, Clock::now() - start);
}

struct Due {
  Clock::time_point when;
};
/// Notes how late each message is after the time it was due.
class Listener {
 public:
  using Messages = Handles<Due>;
  Listener(std::uint64_t n, std::promise<double>& p99) : n_(n), delays_(std::make_unique<Delays>()), p99_(p99) {}
  void on(Due due) {
    delays_->add(Clock::now() - due.when);
    if (delays_->count() == n_) p99_.set_value(delays_->p99_us());
  }

 private:
  std::uint64_t n_;
  std::unique_ptr<Delays> delays_;
  std::promise<double>& p99_;
};

/// Sends a message each microsecond: in each turn those that are due by now.
class Metronome {
 public:
  using Messages = Handles<Go>;
  Metronome(Ref<Listener> to, std::uint64_t n) : to_(to), left_(n) {}
  void on(Go, Context& context) {
    if (due_ == Clock::time_point{}) due_ = Clock::now();
    for (const auto now = Clock::now(); left_ > 0 && due_ <= now; due_ += 1us, --left_)
      (void)context.send(to_, Due{due_});
    if (left_ > 0) (void)context.send(context.self(), Go());
  }

 private:
  Ref<Listener> to_;
  std::uint64_t left_;
  Clock::time_point due_{};
};

double delivery_p99(System& system, std::uint64_t n) {
  std::promise<double> p99;
  const auto listener = system.spawn<Listener>(unbounded(1), n, p99).value();
  (void)system.send(system.spawn<Metronome>(on_worker(0), listener, n).value(), Go());
  return p99.get_future().get();
}

/// Has a timer each second.
class Sleeper {
 public:
  using Messages = Handles<Go, Tick>;
  explicit Sleeper(Duration first) : first_(first) {}
  void pre_start(Context& context) { context.send_after(first_, Go()); }
  void on(Go, Context& context) { context.send_every(1s, Tick()); }
  void on(Tick) {}

 private:
  Duration first_;
};

}  // namespace

double ping_pong(std::uint64_t n) {
  return warmed({.workers = 1}, n,
                [](System& system, std::uint64_t count) { return rate(count, play(system, count, {}, {})); });
}

double wake(std::uint64_t n) {
  return warmed({.workers = 2, .cores = cores(2)}, n, [](System& system, std::uint64_t count) {
    std::promise<double> over;
    const auto there = system.spawn<Answerer>(on_worker(1)).value();
    (void)system.send(system.spawn<Waker>(on_worker(0), there, count, over).value(), Go());
    return over.get_future().get();
  });
}

double one_way(std::uint64_t n) { return warmed({.workers = 2}, n, stream); }
double fan_in_100(std::uint64_t n) { return warmed({.workers = 1}, n, fan_in); }
double request_reply(std::uint64_t n) { return warmed({.workers = 1}, n, ask); }
double latency_loaded(std::uint64_t n) { return warmed({.workers = 2}, n, delivery_p99); }

double idle_cpu(std::uint64_t n) {
  System system(actor::parallel({.workers = 1}));
  for (std::uint64_t i = 0; i < n; ++i) (void)system.spawn<Sleeper>({}, std::chrono::milliseconds(i % 1000));
  return cpu_percent(3s);
}

}  // namespace weft::bench::actors
