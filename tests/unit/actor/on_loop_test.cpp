// Actors in the turns of somebody's loop.
#include <thread>

#include "tests/support/manual_loop.hpp"
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

struct Looped {
  weft::test::ManualLoop loop;
  System system{on_loop(loop)};
  void idle() {
    while (loop.turn()) {
    }
  }
};

}  // namespace

TEST_CASE_METHOD(Looped, "on a loop nothing runs before its turn, and all in the order in which it came") {
  const auto keeper = system.spawn<Keeper>().value();
  for (int i = 0; i < 500; ++i) REQUIRE(system.send(keeper, Number{i}));
  REQUIRE(system.totals().handled == 0);
  idle();
  auto answer = system.ask(keeper, Seen{});
  REQUIRE_FALSE(answer.ready());
  idle();
  const auto all = answer.wait().value();
  REQUIRE(all.size() == 500);
  REQUIRE(std::is_sorted(all.begin(), all.end()));
  REQUIRE(system.scheduler().workers() == 0);
}

TEST_CASE_METHOD(Looped, "timers follow the time of the loop") {
  const auto keeper = system.spawn<Player>().value();
  REQUIRE(system.send(keeper, Play{[](Context& context) -> Task<void> {
                        context.send_after(1s, Number{1});
                        context.send_every(400ms, Number{2});
                        co_await context.sleep(900ms);
                        (void)context.send(context.self(), Number{3});
                      }}));
  idle();
  loop.advance(1s);
  auto answer = system.ask(keeper, Seen{});
  idle();
  REQUIRE(answer.wait().value() == Numbers{2, 2, 3, 1});
}

TEST_CASE_METHOD(Looped,
                 "an actor whose messages take long does not keep the loop: it gets fewer at a time, and more again") {
  const auto actor = system.spawn<Actor>().value();
  for (int i = 0; i < 140; ++i) REQUIRE(system.send(actor, Act{[this](Context&) { loop.time().advance(5ms); }}));
  std::vector<std::uint64_t> at_a_time;
  for (auto before = system.totals().handled; loop.turn(); before = system.totals().handled)
    at_a_time.push_back(system.totals().handled - before);
  REQUIRE(std::is_sorted(at_a_time.rbegin(), at_a_time.rend()));
  REQUIRE(at_a_time.back() == 1);
  REQUIRE(at_a_time.size() > 10);
  for (int i = 0; i < 1000; ++i) REQUIRE(system.send(actor, Act{[](Context&) {}}));
  REQUIRE(loop.turn());
  REQUIRE_FALSE(loop.turn());
}

TEST_CASE("the loop gets its own turn between those of busy actors") {
  int others = 0;
  std::function<void(Context&)> again = [&](Context& context) { (void)context.send(context.self(), Act{again}); };
  weft::test::ManualLoop loop;
  System system{on_loop(loop)};
  const auto actor = system.spawn<Actor>().value();
  REQUIRE(system.send(actor, Act{again}));
  for (int i = 0; i < 10; ++i) {
    loop.post([&others] { ++others; });
    loop.turn();
  }
  REQUIRE(others == 10);
  REQUIRE(system.totals().handled > 10);
}

TEST_CASE_METHOD(Looped, "another thread sends to an actor on the loop") {
  const auto keeper = system.spawn<Keeper>(mailbox_of(0, Overflow::fail)).value();
  weft::test::ManualLoop* only = &loop;
  (void)only;
  idle();
  // ManualLoop's post() is not for other threads: the actor is made ready here first, so that they need none.
  REQUIRE(system.send(keeper, Number{-1}));
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) (void)system.send(keeper, Number{i});
  });
  other.join();
  idle();
  auto answer = system.ask(keeper, Seen{});
  idle();
  REQUIRE(answer.wait().value().size() == 1001);
}

TEST_CASE_METHOD(Looped, "supervised children restart in the loop's time") {
  ChildOptions options;
  options.name = "child";
  const auto child = system.start<Keeper>({}, options).value();
  idle();
  REQUIRE(system.send(child, Boom{}));
  loop.advance(90ms);
  REQUIRE(system.info(child)->state == State::failed);
  loop.advance(20ms);
  REQUIRE(system.info(child)->state == State::running);
}

TEST_CASE_METHOD(Looped, "a shutdown on the loop handles what was accepted, and tells when it is done") {
  const auto keeper = system.spawn<Keeper>().value();
  for (int i = 0; i < 100; ++i) REQUIRE(system.send(keeper, Number{i}));
  std::optional<ShutdownReport> report;
  system.shutdown_async(loop, 30s, [&](ShutdownReport done) { report = std::move(done); });
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!report && std::chrono::steady_clock::now() < deadline) loop.advance(1ms, 1ms);
  REQUIRE(report);
  REQUIRE(report->clean());
  REQUIRE(system.totals().handled == 100);
  REQUIRE(system.totals().actors == 0);
}

TEST_CASE("a system on a loop ends before its loop, whatever waits") {
  weft::test::ManualLoop loop;
  Diary diary;
  {
    System system(on_loop(loop));
    const auto player = system.spawn<Player>().value();
    REQUIRE(system.send(player, Play{[](Context& context) -> Task<void> { co_await context.sleep(1h); }}));
    while (loop.turn()) {
    }
    REQUIRE(system.send(player, Number{1}));
    REQUIRE(system.start<Keeper>({}, {}));
  }
  loop.advance(2h, 1h);  // what was posted and timed finds nobody
}
