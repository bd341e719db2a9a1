// What the lives of actors cost in CAF: spawn, memory, skynet, restart.
#include <caf/all.hpp>
#include <stdexcept>
#include <vector>

#include "bench/actors/caf/rows.hpp"
#include "bench/actors/side.hpp"

namespace weft::bench::actors {

namespace {

using caf::actor;
using caf::actor_config;
using caf::actor_system;
using caf::anon_send;
using caf::behavior;
using caf::event_based_actor;
using caf::replies_to;
using caf::typed_actor;
using Item = std::uint64_t;
using go = caf::atom_constant<caf::atom("go")>;
using born = caf::atom_constant<caf::atom("born")>;
using crash = caf::atom_constant<caf::atom("crash")>;

constexpr Item brood = 1000;  ///< how many live at once where spawning is measured

using Echo = typed_actor<replies_to<Item>::with<Item>>;

/// Tells `parent` when it is the last of `count` whose behaviour is made. All run on one worker.
class Child : public Echo::base {
 public:
  Child(actor_config& config, actor parent, Item& count)
      : Echo::base(config), parent_(std::move(parent)), count_(count) {}

 private:
  behavior_type make_behavior() override {
    if (--count_ == 0) caf::anon_send(parent_, born::value);
    return {[](Item item) { return item; }};
  }
  actor parent_;
  Item& count_;
};

/// Spawns broods until `n` were born; the time in which a brood goes does not count.
class Parent : public event_based_actor {
 public:
  Parent(actor_config& config, Item n, std::promise<Clock::duration>& over)
      : event_based_actor(config), broods_(n / brood), over_(over) {
    children_.reserve(brood);
  }

 private:
  behavior make_behavior() override {
    return {[this](go) {
              start_ = Clock::now();
              for (unborn_ = brood; children_.size() < brood;) children_.push_back(spawn<Child>(this, unborn_));
            },
            [this](born) {
              total_ += Clock::now() - start_;
              children_.clear();
              if (--broods_ > 0) return send(this, go::value);
              over_.set_value(total_);
            }};
  }
  Item broods_, unborn_ = 0;
  std::promise<Clock::duration>& over_;
  std::vector<Echo> children_;
  Clock::time_point start_{};
  Clock::duration total_{};
};

/// Spawns one after the other, each when the one before has answered.
class Asker : public event_based_actor {
 public:
  Asker(actor_config& config, Item n, std::promise<Clock::duration>& over)
      : event_based_actor(config), left_(n), over_(over) {
    children_.reserve(brood);
  }

 private:
  behavior make_behavior() override {
    return {[this](go) {
      start_ = Clock::now();
      next();
    }};
  }
  void next() {
    if (children_.size() == brood) {
      total_ += Clock::now() - start_;
      children_.clear();
      if ((left_ -= brood) == 0) return over_.set_value(total_);
      start_ = Clock::now();
    }
    children_.push_back(spawn<Child>(actor{}, unborn_));
    request(children_.back(), caf::infinite, Item{1}).then([this](Item) { next(); });
  }
  Item left_, unborn_ = 0;
  std::promise<Clock::duration>& over_;
  std::vector<Echo> children_;
  Clock::time_point start_{};
  Clock::duration total_{};
};

template <class Spawner>
double each(actor_system& system, std::uint64_t n) {
  std::promise<Clock::duration> over;
  anon_send(system.spawn<Spawner>(n, over), go::value);
  return nanoseconds(over.get_future().get()) / static_cast<double>(n);
}

/// A leaf says its number, all others the sum of their ten children.
class Node : public event_based_actor {
 public:
  Node(actor_config& config, actor parent, Item number, Item size)
      : event_based_actor(config), parent_(std::move(parent)), number_(number), size_(size) {}

 private:
  behavior make_behavior() override {
    if (size_ == 1) {
      send(parent_, number_);
      return {};
    }
    const Item part = size_ / 10;
    for (Item i = 0; i < 10; ++i) spawn<Node>(this, number_ + i * part, part);
    return {[this](Item sum) {
      sum_ += sum;
      if (--open_ > 0) return;
      send(parent_, sum_);
      quit();
    }};
  }
  actor parent_;
  Item number_, size_, sum_ = 0, open_ = 10;
};

class Crasher : public event_based_actor {
 public:
  Crasher(actor_config& config, actor client) : event_based_actor(config), client_(std::move(client)) {}

 private:
  behavior make_behavior() override {
    send(client_, born::value, actor{this});
    return {[](crash) { throw std::runtime_error("asked to"); }};
  }
  actor client_;
};

/// CAF has no supervisors: an actor that monitors the other and spawns it anew is its way.
behavior supervisor(event_based_actor* self, actor client) {
  self->set_down_handler([=](const caf::down_msg&) { self->spawn<Crasher, caf::monitored>(client); });
  self->spawn<Crasher, caf::monitored>(client);
  return {[](go) {}};
}

/// Crashes each new one; the median of the times until the next is there.
class Client : public event_based_actor {
 public:
  Client(actor_config& config, Item n, std::promise<double>& over) : event_based_actor(config), n_(n), over_(over) {}

 private:
  behavior make_behavior() override {
    supervisor_ = spawn(supervisor, actor{this});  // lives as long as somebody knows it
    return {[this](born, const actor& crasher) {
      const auto now = Clock::now();
      if (start_ != Clock::time_point{}) times_us_.push_back(microseconds(now - start_));
      if (times_us_.size() == n_) {
        send_exit(supervisor_, caf::exit_reason::kill);
        quit();
        return over_.set_value(median(times_us_));
      }
      start_ = Clock::now();
      send(crasher, crash::value);
    }};
  }
  Item n_;
  std::promise<double>& over_;
  actor supervisor_;
  std::vector<double> times_us_;
  Clock::time_point start_{};
};

double crash_and_restart(actor_system& system, std::uint64_t n) {
  std::promise<double> over;
  system.spawn<Client>(n, over);
  return over.get_future().get();
}

}  // namespace

double spawn(std::uint64_t n) { return warmed(1, n, each<Parent>); }
double first_answer(std::uint64_t n) { return warmed(1, n, each<Asker>); }

double memory_idle(std::uint64_t n) {
  Config config(1);
  auto& system = *new actor_system(config);  // never taken down: that takes long
  std::promise<Clock::duration> over;
  std::vector<Echo> actors(n);
  Item unborn = n;
  caf::scoped_actor self{system};
  const double before = resident_bytes();
  for (auto& one : actors) one = system.spawn<Child>(self, unborn);
  self->receive([](born) {});
  return (resident_bytes() - before) / static_cast<double>(n);
}

double skynet_1m(std::uint64_t n) {
  Config config(1);
  actor_system system(config);
  caf::scoped_actor self{system};
  const auto start = Clock::now();
  self->spawn<Node>(self, Item{0}, Item{n});
  Item sum = 0;
  self->receive([&](Item all) { sum = all; });
  const auto time = Clock::now() - start;
  if (sum != n * (n - 1) / 2) throw std::runtime_error("wrong sum");
  return milliseconds(time);
}

double restart(std::uint64_t n) { return warmed(1, n, crash_and_restart); }

}  // namespace weft::bench::actors
