// Timers of actors: once, again and again, in the past, and very many.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

/// Copies a few times, then throws.
struct Fragile {
  explicit Fragile(int& copies) : left(copies) {}
  Fragile(const Fragile& other) : left(other.left) {
    if (left-- == 0) throw std::runtime_error("does not copy");
  }
  Fragile(Fragile&& other) noexcept : left(other.left) {}
  int& left;
};

/// What a test does in its turn, and the numbers that came.
class Alarm {
 public:
  using Messages = Handles<Act, Number, Seen, Fragile>;
  void on(const Act& act, Context& context) { act.work(context); }
  void on(Number number) { seen_.push_back(number.value); }
  Numbers on(Seen) const { return seen_; }
  void on(Fragile) {}

 private:
  Numbers seen_;
};

}  // namespace

TEST_CASE("a message comes after its delay, not before; in the order of their times") {
  TestSystem system;
  const auto alarm = system.spawn<Alarm>().value();
  REQUIRE(system.send(alarm, Act{[](Context& context) {
                        context.send_after(3s, Number{3});
                        context.send_after(1s, Number{1});
                        context.send_after(2s, Number{2});
                        context.send_after(2s, Number{22});
                      }}));
  system.advance(1s - 1ns);
  REQUIRE(seen(system, alarm).empty());
  system.advance(1ns);
  REQUIRE(seen(system, alarm) == Numbers{1});
  system.advance(1h);
  REQUIRE(seen(system, alarm) == Numbers{1, 2, 22, 3});
}

TEST_CASE("a timer in the past is due at once") {
  TestSystem system;
  const auto alarm = system.spawn<Alarm>().value();
  REQUIRE(system.send(alarm, Act{[](Context& context) {
                        context.send_after(-1h, Number{1});
                        context.send_after(0s, Number{2});
                      }}));
  system.advance(0s);
  REQUIRE(seen(system, alarm) == Numbers{1, 2});
}

TEST_CASE("every period, the first time after one, until it is cancelled; never faster than each ms") {
  TestSystem system;
  const auto alarm = system.spawn<Alarm>().value();
  TimerId second = 0, fast = 0;
  REQUIRE(system.send(alarm, Act{[&](Context& context) {
                        second = context.send_every(1s, Number{1});
                        fast = context.send_every(-1h, Number{2});
                      }}));
  system.advance(1ms - 1ns);
  REQUIRE(seen(system, alarm).empty());
  system.advance(10ms);
  REQUIRE(seen(system, alarm) == Numbers(10, 2));
  bool cancelled = false, again = true;
  REQUIRE(system.send(alarm, Act{[&](Context& context) {
                        cancelled = context.cancel(fast);
                        again = context.cancel(fast) || context.cancel(0);
                      }}));
  system.advance(3s);
  REQUIRE(cancelled);
  REQUIRE_FALSE(again);
  REQUIRE(seen(system, alarm).size() == 13);
}

TEST_CASE("timers end with their actor, and with its restart") {
  TestSystem system;
  const auto keeper = system.start<Alarm>({}, {}).value();
  REQUIRE(system.send(keeper, Act{[](Context& context) {
                        context.send_after(10s, Number{1});
                        context.send_every(10s, Number{2});
                        throw std::runtime_error("boom");
                      }}));
  system.advance(1h);
  REQUIRE(seen(system, keeper).empty());
  system.stop(keeper);
  system.advance(1h);
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE("a message whose copy throws is the failure of its actor") {
  TestSystem system;
  const auto alarm = system.start<Alarm>({}, {}).value();
  int copies = 5;
  REQUIRE(system.send(alarm, Act{[&copies](Context& context) { context.send_every(1s, Fragile(copies)); }}));
  system.run_until_idle();
  REQUIRE(copies > 0);
  system.advance(1min);
  REQUIRE(copies == -1);
  REQUIRE(system.totals().failures == 1);
  REQUIRE(system.info(alarm)->restarts == 1);
}

TEST_CASE("who sleeps again and again for no time lets others have their turn") {
  TestSystem system;
  const auto player = system.spawn<Player>().value();
  int rounds = 0;
  REQUIRE(system.send(player, Play{[&rounds](Context& context) -> Task<void> {
                        for (; rounds < 1000; ++rounds) co_await context.sleep(0s);
                      }}));
  system.advance(0s);
  REQUIRE(rounds == 1000);
}

TEST_CASE("a million timers in one actor come in their order, and end with it") {
  TestSystem system;
  const auto alarm = system.spawn<Alarm>(mailbox_of(0, Overflow::fail)).value();
  constexpr int kTimers = 1'000'000;
  REQUIRE(system.send(alarm, Act{[](Context& context) {
                        for (int i = 0; i < kTimers; ++i) {
                          const int place = static_cast<int>(i * 7919LL % kTimers);
                          context.send_after(std::chrono::milliseconds(1 + place / 1000), Number{place});
                        }
                      }}));
  system.advance(50ms);
  const auto all = seen(system, alarm);
  REQUIRE(all.size() == 50'000);
  bool ordered = true;
  for (std::size_t i = 1; i < all.size(); ++i) ordered = ordered && all[i - 1] / 1000 <= all[i] / 1000;
  REQUIRE(ordered);
  system.stop(alarm);
  system.advance(1s);
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE("a million timers over a thousand actors all come") {
  TestSystem system;
  std::vector<Ref<Alarm>> alarms;
  for (int i = 0; i < 1000; ++i) {
    alarms.push_back(system.spawn<Alarm>().value());
    REQUIRE(system.send(alarms.back(), Act{[](Context& context) { context.send_every(1ms, Number{1}); }}));
  }
  for (int round = 0; round < 10; ++round) system.advance(100ms / 10);
  REQUIRE(system.totals().handled == 1000 + 1000 * 100);
}

TEST_CASE("on threads: timers of many actors come, not before their time") {
  std::atomic<int> early{0}, came{0};
  System system(parallel({2, {}}));
  constexpr int kActors = 200, kTimers = 100;
  for (int i = 0; i < kActors; ++i) {
    const auto player = system.spawn<Player>().value();
    REQUIRE(system.send(player, Play{[&](Context& context) -> Task<void> {
                          for (int t = 0; t < kTimers; ++t) {
                            const TimePoint before = context.now();
                            co_await context.sleep(std::chrono::microseconds(100 * (t % 10)));
                            if (context.now() - before < std::chrono::microseconds(100 * (t % 10))) ++early;
                            ++came;
                          }
                        }}));
  }
  REQUIRE(eventually([&] { return came == kActors * kTimers; }));
  REQUIRE(early == 0);
}
