// Waiting for room: deliver() of a handler, send_wait() of a thread.
#include <thread>

#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

/// Delivers `from`, `from` + 1, … to `to`, and tells each time how it went.
Play deliveries(Address to, int from, int count, Diary& diary, Duration timeout = {}) {
  return Play{[=, &diary](Context& context) -> Task<void> {
    for (int i = from; i < from + count; ++i) {
      auto delivery = context.deliver(to, Number{i}, timeout);
      auto delivered = co_await delivery;
      const std::string how = delivered ? "in" : delivered.error().name;
      diary.write(std::to_string(i) + " " + how);
    }
  }};
}

struct Busy {
  Duration time{};
};
/// Sleeps while it handles Busy, and keeps numbers.
class Sleeper {
 public:
  using Messages = Handles<Busy, Number, Seen>;
  Task<void> on(Busy busy, Context& context) { co_await context.sleep(busy.time); }
  void on(Number number) { seen_.push_back(number.value); }
  Numbers on(Seen) const { return seen_; }

 private:
  Numbers seen_;
};

struct Guarded {
  using Messages = Handles<Number, Seen>;
  explicit Guarded(Gate& to_open) : gate(to_open) {}
  void on(Number number) {
    gate.wait();
    seen.push_back(number.value);
  }
  Numbers on(Seen) const { return seen; }
  Gate& gate;
  Numbers seen;
};

}  // namespace

TEST_CASE("block with capacity one: the second sender waits, and goes in after one receive, in order") {
  TestSystem system;
  Diary diary;
  const auto sleeper = system.spawn<Sleeper>(mailbox_of(1, Overflow::block)).value();
  REQUIRE(system.send(sleeper, Busy{1s}));
  system.run_until_idle();
  const auto first = system.spawn<Player>().value();
  const auto second = system.spawn<Player>().value();
  REQUIRE(system.send(first, deliveries(sleeper, 1, 1, diary)));
  system.run_until_idle();
  REQUIRE(system.send(second, deliveries(sleeper, 2, 1, diary)));
  system.run_until_idle();
  REQUIRE(diary.lines() == Lines{"1 in"});
  REQUIRE(depth(system, sleeper) == 1);
  REQUIRE(system.send(sleeper, Number{9}).error().is(codes::mailbox_full));  // send() never waits
  system.advance(1s);
  REQUIRE(diary.lines() == Lines{"1 in", "2 in"});
  REQUIRE(seen(system, sleeper) == Numbers{1, 2});
}

TEST_CASE("many wait: first come, first served, whatever the seed") {
  TestSystem system(GENERATE(range(std::uint64_t{0}, std::uint64_t{10})));
  Diary diary;
  const auto sleeper = system.spawn<Sleeper>(mailbox_of(2, Overflow::block)).value();
  REQUIRE(system.send(sleeper, Busy{1s}));
  system.run_until_idle();
  Numbers all;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(system.send(system.spawn<Player>().value(), deliveries(sleeper, 10 * i, 3, diary)));
    system.run_until_idle();
  }
  system.advance(1s);
  const auto got = seen(system, sleeper);
  REQUIRE(got.size() == 60);
  std::map<int, int> next;  // of one sender in order
  for (const int number : got) REQUIRE(number % 10 == next[number / 10]++);
  Numbers firsts;
  for (const int number : got) {
    if (number % 10 == 0) firsts.push_back(number);
  }
  REQUIRE(std::is_sorted(firsts.begin(), firsts.end()));
}

TEST_CASE("who waits too long is told, and its message is gone") {
  TestSystem system;
  Diary diary;
  const auto sleeper = system.spawn<Sleeper>(mailbox_of(1, Overflow::block)).value();
  REQUIRE(system.send(sleeper, Busy{10s}));
  system.run_until_idle();
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, deliveries(sleeper, 1, 3, diary, 1s)));
  system.advance(2s);
  REQUIRE(diary.lines() == Lines{"1 in", "2 MAILBOX_FULL", "3 MAILBOX_FULL"});
  system.advance(10s);
  REQUIRE(seen(system, sleeper) == Numbers{1});
  REQUIRE(dropped(system, Drop::late) == 0);
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE("who waits for an actor that ends is told; who ends while it waits leaves nothing") {
  TestSystem system;
  Diary diary;
  const auto sleeper = system.spawn<Sleeper>(mailbox_of(1, Overflow::block)).value();
  REQUIRE(system.send(sleeper, Busy{10s}));
  system.run_until_idle();
  const auto first = system.spawn<Player>().value();
  const auto second = system.spawn<Player>().value();
  REQUIRE(system.send(first, deliveries(sleeper, 1, 3, diary)));
  system.run_until_idle();
  REQUIRE(system.send(second, deliveries(sleeper, 4, 1, diary)));
  system.run_until_idle();
  SECTION("the target ends") {
    system.stop(sleeper);
    system.run_until_idle();
    auto lines = diary.lines();
    std::sort(lines.begin(), lines.end());
    REQUIRE(lines == Lines{"1 in", "2 ACTOR_CLOSED", "3 ACTOR_CLOSED", "4 ACTOR_CLOSED"});
  }
  SECTION("the sender ends") {
    system.stop(first);
    system.advance(20s);
    REQUIRE(diary.lines() == Lines{"1 in", "4 in"});
    REQUIRE(seen(system, sleeper) == Numbers{1, 4});
    REQUIRE(dropped(system, Drop::late) == 0);
  }
}

TEST_CASE("a message that was redirected and then waits reaches the first actor after all") {
  TestSystem system;
  Diary diary;
  const auto second = system.spawn<Sleeper>(mailbox_of(1, Overflow::block)).value();
  auto options = mailbox_of(1, Overflow::redirect);
  options.mailbox.redirect_to = second;
  const auto first = system.spawn<Sleeper>(options).value();
  for (const auto& each : {first, second}) {
    REQUIRE(system.send(each, Busy{1s}));
    system.run_until_idle();
  }
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, deliveries(first, 1, 4, diary)));
  system.advance(2s);
  REQUIRE(diary.lines().size() == 4);
  auto got = seen(system, first);
  for (const int number : seen(system, second)) got.push_back(number);
  std::sort(got.begin(), got.end());
  REQUIRE(got == Numbers{1, 2, 3, 4});
}

TEST_CASE("a plain thread waits for room, with and without a limit, and is told of the end") {
  Gate closed;
  System system(parallel({2, {}}));
  const auto guarded = system.spawn<Guarded>(mailbox_of(1, Overflow::block), closed).value();
  REQUIRE(system.send_wait(guarded, Number{0}));
  REQUIRE(system.send_wait(guarded, Number{1}, 30s));  // the first is in hand by then
  const auto late = system.send_wait(guarded, Number{99}, 5ms);
  REQUIRE(late.error().is(codes::mailbox_full));
  std::thread waits([&] {
    for (int i = 2; i < 100; ++i) (void)system.send_wait(guarded, Number{i});
  });
  closed.open();
  waits.join();
  const auto all = system.ask(guarded, Seen{}).wait(30s);
  REQUIRE((all || all.error().is(codes::mailbox_full)));
  REQUIRE(eventually([&] { return depth(system, guarded) == 0; }));
  const auto got = system.ask(guarded, Seen{}).wait(30s).value();
  REQUIRE(got.size() == 100);
  REQUIRE(std::is_sorted(got.begin(), got.end()));
}

TEST_CASE("threads that wait for an actor that is stopped all come back") {
  for (int round = 0; round < 20; ++round) {
    Gate closed;
    System system(parallel({2, {}}));
    const auto actor = system.spawn<Actor>(mailbox_of(1, Overflow::block)).value();
    REQUIRE(system.send(actor, Act{[&closed](Context&) { closed.wait(); }}));
    std::atomic<int> accepted{0}, refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto sent = system.send_wait(actor, Act{[](Context&) {}});
        sent ? ++accepted : ++refused;
      });
    }
    REQUIRE(eventually([&] { return accepted == 1; }));
    system.stop(actor);
    closed.open();
    for (auto& thread : threads) thread.join();
    REQUIRE(accepted + refused == 4);
    REQUIRE(eventually([&] { return !system.info(actor); }));
  }
}

TEST_CASE("order is kept where senders wait on one thread and the actor runs on another") {
  System system(parallel({2, {}}));
  const auto keeper = system.spawn<Keeper>(mailbox_of(3, Overflow::block)).value();
  constexpr int kSenders = 4, kEach = 500;
  std::vector<std::thread> threads;
  for (int sender = 0; sender < kSenders; ++sender) {
    threads.emplace_back([&system, keeper, sender] {
      for (int i = 0; i < kEach; ++i) (void)system.send_wait(keeper, Number{sender * kEach + i});
    });
  }
  Diary diary;
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, deliveries(keeper, kSenders * kEach, kEach, diary)));
  for (auto& thread : threads) thread.join();
  REQUIRE(eventually([&] { return diary.lines().size() == kEach && depth(system, keeper) == 0; }));
  const auto got = system.ask(keeper, Seen{}).wait(30s).value();
  REQUIRE(got.size() == (kSenders + 1) * kEach);
  std::vector<int> next(kSenders + 1, 0);
  for (const int number : got) REQUIRE(number % kEach == next[static_cast<std::size_t>(number / kEach)]++);
}
