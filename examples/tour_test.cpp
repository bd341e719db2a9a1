// A tour of the runtime, a stop a test case; docs/actors.md shows parts of it.
#include <string>
#include <vector>
#include <weft/actor_test.hpp>

#include "tests/support/catch.hpp"

using namespace std::chrono_literals;
namespace actor = weft::actor;

namespace {

struct Order {
  int number = 0;
};
struct Count {};

/// Takes orders, and fails at number 13.
class Till {
 public:
  using Messages = actor::Handles<Order, Count>;
  void on(Order order) {
    if (order.number == 13) throw std::runtime_error("unlucky");
    ++orders_;
  }
  int on(Count) { return orders_; }

 private:
  int orders_ = 0;
};

struct Tick {};

class Clockwork {
 public:
  using Messages = actor::Handles<Tick, Count>;
  void pre_start(actor::Context& context) { ticking_ = context.send_every(1s, Tick{}); }
  void on(Tick, actor::Context& context) {
    if (++ticks_ == 3) context.cancel(ticking_);
  }
  int on(Count) { return ticks_; }

 private:
  actor::TimerId ticking_ = 0;
  int ticks_ = 0;
};

class Listener {
 public:
  using Messages = actor::Handles<Order, Count>;
  void pre_start(actor::Context& context) {
    if (auto subscribed = context.subscribe("orders.*"); !subscribed) {
      throw std::runtime_error(subscribed.error().message);
    }
  }
  void on(const Order&) { ++heard_; }
  int on(Count) { return heard_; }

 private:
  int heard_ = 0;
};

struct LastWords {};

class Widow {
 public:
  using Messages = actor::Handles<actor::Down, LastWords>;
  explicit Widow(actor::Address whom) : whom_(whom) {}
  void pre_start(actor::Context& context) { context.watch(whom_); }
  void on(actor::Down down) { words_ = std::string(to_string(down.reason)) + ": " + down.what; }
  std::string on(LastWords) { return words_; }

 private:
  actor::Address whom_;
  std::string words_;
};

struct Approve {
  using Reply = bool;
};
struct Decide {
  bool yes = false;
};

/// Answers when it has been told, not when it was asked.
class Desk {
 public:
  using Messages = actor::Handles<Approve, Decide>;
  void on(Approve, actor::Context& context) { waiting_.push_back(context.reply_later<bool>()); }
  void on(Decide decide) {
    for (auto& answer : waiting_) answer(decide.yes);
    waiting_.clear();
  }

 private:
  std::vector<actor::Responder<bool>> waiting_;
};

class Patient {
 public:
  using Messages = actor::Handles<actor::HealthCheck>;
  actor::Health on(actor::HealthCheck) { return actor::Health::failed; }
};

/// Asks both tills at once.
class Office {
 public:
  using Messages = actor::Handles<Count>;
  Office(actor::Ref<Till> one, actor::Ref<Till> two) : one_(one), two_(two) {}

  weft::Task<weft::Result<int>> on(Count count, actor::Context& context) {
    auto first = context.request(one_, count, 1s);
    auto second = context.request(two_, count, 1s);
    const auto one = co_await first;
    const auto two = co_await second;
    if (!one) co_return one.error();
    if (!two) co_return two.error();
    co_return *one + *two;
  }

 private:
  actor::Ref<Till> one_, two_;
};

}  // namespace

TEST_CASE("a tree of supervisors starts again what failed, and those that were started after it") {
  actor::TestSystem system;
  actor::ChildOptions front, first, second;
  front.name = "front";
  first.name = "first";
  second.name = "second";
  second.restart = actor::Restart::transient;
  actor::SupervisorOptions rest;
  rest.strategy = actor::Strategy::rest_for_one;
  const auto shop =
      system.start(actor::supervisor(front, rest, {actor::child<Till>(first), actor::child<Till>(second)}));
  system.run_until_idle();

  const auto till = system.find<Till>("first");
  REQUIRE(system.send(till, Order{1}));
  REQUIRE(system.send(till, Order{13}));
  REQUIRE(system.send(till, Order{2}));
  system.advance(99ms);
  REQUIRE(system.info(till)->state == actor::State::failed);
  system.advance(1ms);  // 100 ms are the delay before the first restart
  REQUIRE(system.info(till)->restarts == 1);
  REQUIRE(system.info(system.find("second"))->restarts == 1);
  REQUIRE(system.answer(system.ask(till, Count{})) == 1);  // 1 is forgotten, 13 lost, 2 has waited
  REQUIRE(shop.has_value());
}

TEST_CASE("a timer ticks until it is cancelled") {
  actor::TestSystem system;
  const auto clockwork = system.spawn<Clockwork>().value();
  system.advance(2500ms);
  REQUIRE(system.answer(system.ask(clockwork, Count{})) == 2);
  system.advance(1h);
  REQUIRE(system.answer(system.ask(clockwork, Count{})) == 3);
}

TEST_CASE("what is published reaches those whose pattern matches, until they stop") {
  actor::TestSystem system;
  const auto listener = system.spawn<Listener>().value();
  system.run_until_idle();
  REQUIRE(system.publish("orders.graz", Order{1}).value() == 1);
  REQUIRE(system.publish("orders.graz.late", Order{2}).value() == 0);
  REQUIRE(system.answer(system.ask(listener, Count{})) == 1);
  system.stop(listener);
  system.run_until_idle();
  REQUIRE(system.publish("orders.graz", Order{3}).value() == 0);
}

TEST_CASE("who watches is told how it ended") {
  actor::TestSystem system;
  const auto till = system.spawn<Till>().value();
  const auto widow = system.spawn<Widow>(till).value();
  system.run_until_idle();
  REQUIRE(system.send(till, Order{13}));
  system.run_until_idle();
  REQUIRE(system.answer(system.ask(widow, LastWords{})) == "error: unlucky");
}

TEST_CASE("a monitor is told what failed, and what became of it") {
  actor::RecordingMonitor monitor;
  monitor.from(actor::Level::info);
  actor::TestSystem system(0, {}, &monitor);
  actor::ChildOptions options;
  options.name = "till";
  const auto till = system.start<Till>({}, options).value();
  REQUIRE(system.send(till, Order{13}));
  system.advance(1s);
  const auto events = monitor.snapshot().latest;
  REQUIRE(events.size() == 2);
  REQUIRE(events[0].kind == "failed");
  REQUIRE(events[0].fields[0].value == "unlucky");
  REQUIRE(events[1].kind == "restarted");
}

TEST_CASE("an answer may come later, from another handler") {
  actor::TestSystem system;
  const auto desk = system.spawn<Desk>().value();
  auto approved = system.ask(desk, Approve{});
  system.run_until_idle();
  REQUIRE_FALSE(approved.ready());
  REQUIRE(system.send(desk, Decide{true}));
  REQUIRE(system.answer(std::move(approved)));
}

TEST_CASE("a supervisor asks for the health of a child, and restarts what is not well") {
  actor::TestSystem system;
  actor::ChildOptions options;
  options.health.interval = 10s;
  const auto patient = system.start<Patient>({}, options).value();
  system.advance(29s);
  REQUIRE(system.info(patient)->restarts == 0);
  system.advance(2s);  // the third check failed, and the delay before a restart has passed
  REQUIRE(system.info(patient)->restarts == 1);
}

TEST_CASE("two questions are on their way at once, and each has its answer") {
  actor::TestSystem system;
  const auto one = system.spawn<Till>().value();
  const auto two = system.spawn<Till>().value();
  const auto office = system.spawn<Office>(one, two).value();
  REQUIRE(system.send(one, Order{1}));
  REQUIRE(system.send(two, Order{2}));
  REQUIRE(system.send(two, Order{3}));
  REQUIRE(system.answer(system.ask(office, Count{})).value() == 3);
}

TEST_CASE("a full mailbox refuses, by its policy") {
  actor::TestSystem system;
  actor::SpawnOptions options;
  options.name = "till";
  options.mailbox.capacity = 2;
  options.mailbox.overflow = actor::Overflow::fail;
  const auto till = system.spawn<Till>(options).value();
  REQUIRE(system.send(till, Order{1}));
  REQUIRE(system.send(till, Order{2}));
  const auto refused = system.send(till, Order{3});
  REQUIRE(refused.error().message == "actor 'till' has a full mailbox (capacity 2)");
}

TEST_CASE("a system holds as many actors as it was told, and says so") {
  actor::SystemOptions options;
  options.actors_max = 2;
  actor::TestSystem system(0, options);
  const auto first = system.spawn<Till>().value();
  REQUIRE(system.spawn<Till>());
  REQUIRE(system.spawn<Till>().error().message == "the limit of 2 actors is reached: 2 live (actors_max)");
  system.stop(first);
  system.run_until_idle();
  REQUIRE(system.spawn<Till>());
}

TEST_CASE("a letter to the dead is kept, and can be sent to somebody else") {
  actor::TestSystem system;
  const auto old_till = system.spawn<Till>().value();
  const auto new_till = system.spawn<Till>().value();
  system.stop(old_till);
  system.run_until_idle();
  REQUIRE(system.send(old_till, Order{7}).error().is(weft::codes::actor_closed));
  const auto letters = system.dead_letters();
  REQUIRE(letters.size() == 1);
  REQUIRE(letters[0].reason == actor::Drop::stopped);
  REQUIRE(system.resend(letters[0].number, new_till));
  REQUIRE(system.answer(system.ask(new_till, Count{})) == 1);
}
