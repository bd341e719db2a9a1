// What messages cost in CAF: throughput, round trips, delivery under load, timers.
#include <algorithm>
#include <caf/all.hpp>
#include <memory>
#include <vector>

#include "bench/actors/caf/rows.hpp"
#include "bench/actors/side.hpp"

namespace weft::bench::actors {

namespace {

using namespace std::chrono_literals;
using caf::actor;
using caf::actor_config;
using caf::actor_system;
using caf::anon_send;
using caf::behavior;
using caf::event_based_actor;
using caf::reacts_to;
using caf::replies_to;
using caf::typed_actor;
using Item = std::uint64_t;  // CAF matches built-in types by number and own ones by their type_info, which is slower
using go = caf::atom_constant<caf::atom("go")>;
using credit = caf::atom_constant<caf::atom("credit")>;
using tick = caf::atom_constant<caf::atom("tick")>;
constexpr Item batch = 100, window_size = 10'000, credit_step = 1'000;

/// Returns the ball, one less, until it says 0.
class Player : public event_based_actor {
 public:
  Player(actor_config& config, std::promise<void>& over) : event_based_actor(config), over_(over) {}

 private:
  behavior make_behavior() override {
    return {[this](Item ball) {
              if (ball == 0) return over_.set_value();
              send(peer_, ball - 1);
            },
            [this](go, const actor& peer, Item ball) {
              peer_ = peer;
              if (ball > 0) send(peer_, ball);
            }};
  }
  std::promise<void>& over_;
  actor peer_;
};

double play(actor_system& system, std::uint64_t n) {
  std::promise<void> over;
  const actor a = system.spawn<Player>(over), b = system.spawn<Player>(over);
  anon_send(b, go::value, a, Item{0});
  const auto start = Clock::now();
  anon_send(a, go::value, b, Item{n});
  over.get_future().wait();
  const auto time = Clock::now() - start;
  for (const auto& player : {a, b}) anon_send_exit(player, caf::exit_reason::user_shutdown);  // they hold each other
  return rate(n, time);
}

using Server = typed_actor<replies_to<Item>::with<Item>>;
class Echo : public Server::base {
 public:
  explicit Echo(actor_config& config) : Server::base(config) {}

 private:
  behavior_type make_behavior() override {
    return {[](Item item) { return item; }};
  }
};

using Client = typed_actor<reacts_to<go, Item>>;
class Asker : public Client::base {
 public:
  Asker(actor_config& config, Server server, std::promise<void>& over)
      : Client::base(config), server_(server), over_(over) {}

 private:
  behavior_type make_behavior() override {
    return {[this](go, Item n) { ask(n); }};
  }
  void ask(Item n) {
    if (n == 0) return over_.set_value();
    request(server_, caf::infinite, n).then([this](Item answer) { ask(answer - 1); });
  }
  Server server_;
  std::promise<void>& over_;
};

double ask(actor_system& system, std::uint64_t n) {
  std::promise<void> over;
  const auto asker = system.spawn<Asker>(system.spawn<Echo>(), over);
  const auto start = Clock::now();
  anon_send(asker, go::value, Item{n});
  over.get_future().wait();
  return nanoseconds(Clock::now() - start) / static_cast<double>(n);
}

/// Counts to `n`, then says so. Gives the sender credit by the thousand.
class Counter : public event_based_actor {
 public:
  Counter(actor_config& config, Item n, std::promise<void>& over) : event_based_actor(config), left_(n), over_(over) {}

 private:
  behavior make_behavior() override {
    return {[this](Item) {
      if (--left_ % credit_step == 0 && current_sender() != nullptr)
        send(caf::actor_cast<actor>(current_sender()), credit::value);
      if (left_ == 0) over_.set_value();
    }};
  }
  Item left_;
  std::promise<void>& over_;
};

/// Sends `n` messages, a hundred a turn, and never has more than `window` under way.
class Sender : public event_based_actor {
 public:
  Sender(actor_config& config, actor to, Item n, Item window)
      : event_based_actor(config), to_(std::move(to)), left_(n), window_(window) {}

 private:
  behavior make_behavior() override {
    return {[this](go) { turn(); },
            [this](credit) {
              const bool waits = window_ == 0;
              window_ += credit_step;
              if (waits) turn();
            }};
  }
  void turn() {
    const Item some = std::min({left_, window_, batch});
    for (Item i = 0; i < some; ++i) send(to_, i);
    left_ -= some;
    window_ -= some;
    if (left_ > 0 && window_ > 0) send(this, go::value);
  }
  actor to_;
  Item left_, window_;
};

double stream(actor_system& system, std::uint64_t n) {
  std::promise<void> over;
  const actor counter = system.spawn<Counter>(n, over), sender = system.spawn<Sender>(counter, n, window_size);
  const auto start = Clock::now();
  anon_send(sender, go::value);
  over.get_future().wait();
  return rate(n, Clock::now() - start);
}

double fan_in(actor_system& system, std::uint64_t n) {
  constexpr std::uint64_t senders_count = 100;
  std::promise<void> over;
  const actor counter = system.spawn<Counter>(n, over);
  std::vector<actor> senders;
  for (std::uint64_t i = 0; i < senders_count; ++i)
    senders.push_back(system.spawn<Sender>(counter, n / senders_count, n));
  const auto start = Clock::now();
  for (const auto& sender : senders) anon_send(sender, go::value);
  over.get_future().wait();
  return rate(n, Clock::now() - start);
}

/// Notes how late each message is after the time it was due.
class Listener : public event_based_actor {
 public:
  Listener(actor_config& config, Item n, std::promise<double>& p99)
      : event_based_actor(config), n_(n), delays_(std::make_unique<Delays>()), p99_(p99) {}

 private:
  behavior make_behavior() override {
    return {[this](Item due) {
      delays_->add(Clock::now().time_since_epoch() - Clock::duration(due));
      if (delays_->count() == n_) p99_.set_value(delays_->p99_us());
    }};
  }
  Item n_;
  std::unique_ptr<Delays> delays_;
  std::promise<double>& p99_;
};

/// Sends a message each microsecond: in each turn those that are due by now.
class Metronome : public event_based_actor {
 public:
  Metronome(actor_config& config, actor to, Item n) : event_based_actor(config), to_(std::move(to)), left_(n) {}

 private:
  behavior make_behavior() override {
    return {[this](go) {
      if (due_ == Clock::time_point{}) due_ = Clock::now();
      for (const auto now = Clock::now(); left_ > 0 && due_ <= now; due_ += 1us, --left_) {
        send(to_, static_cast<Item>(due_.time_since_epoch().count()));
      }
      if (left_ > 0) send(this, go::value);
    }};
  }
  actor to_;
  Item left_;
  Clock::time_point due_{};
};

double delivery_p99(actor_system& system, std::uint64_t n) {
  std::promise<double> p99;
  const actor listener = system.spawn<Listener>(n, p99);
  anon_send(system.spawn<Metronome>(listener, n), go::value);
  return p99.get_future().get();
}

/// Has a timer each second.
class Sleeper : public event_based_actor {
 public:
  Sleeper(actor_config& config, std::chrono::milliseconds first) : event_based_actor(config), first_(first) {}

 private:
  behavior make_behavior() override {
    delayed_send(this, first_, tick::value);
    return {[this](tick) { delayed_send(this, 1s, tick::value); }};
  }
  std::chrono::milliseconds first_;
};

}  // namespace

double ping_pong(std::uint64_t n) { return warmed(1, n, play); }
double one_way(std::uint64_t n) { return warmed(2, n, stream); }
double fan_in_100(std::uint64_t n) { return warmed(1, n, fan_in); }
double request_reply(std::uint64_t n) { return warmed(1, n, ask); }
double latency_loaded(std::uint64_t n) { return warmed(2, n, delivery_p99); }

double idle_cpu(std::uint64_t n) {
  Config config(1);
  actor_system system(config);
  std::vector<actor> sleepers;
  for (std::uint64_t i = 0; i < n; ++i) sleepers.push_back(system.spawn<Sleeper>(std::chrono::milliseconds(i % 1000)));
  const double percent = cpu_percent(3s);
  for (const auto& sleeper : sleepers) anon_send_exit(sleeper, caf::exit_reason::user_shutdown);
  return percent;
}

}  // namespace weft::bench::actors
