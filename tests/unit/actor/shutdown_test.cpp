// Shutdown: what was accepted is handled, what does not stop is named.
#include <thread>

#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

/// Counts where its test can see it, and writes its end.
class Counter {
 public:
  using Messages = Handles<Number, Act>;
  Counter(std::atomic<int>& count, Diary* diary = nullptr, std::string name = {})
      : count_(count), diary_(diary), name_(std::move(name)) {}
  void on(Number) { ++count_; }
  void on(const Act& act, Context& context) { act.work(context); }
  void post_stop(Context&) {
    if (diary_) diary_->write(name_);
  }

 private:
  std::atomic<int>& count_;
  Diary* diary_;
  std::string name_;
};

}  // namespace

TEST_CASE("a shutdown of a thousand actors with queued work ends in time, with nothing lost") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  std::atomic<int> handled{0};
  System system(parallel({workers, {}}));
  std::vector<Ref<Counter>> actors;
  for (int i = 0; i < 1000; ++i) actors.push_back(system.spawn<Counter>({}, handled).value());
  int accepted = 0;
  for (int round = 0; round < 20; ++round) {
    for (const auto& each : actors) accepted += system.send(each, Number{round}) ? 1 : 0;
  }
  const auto report = system.shutdown(30s);
  REQUIRE(report.clean());
  REQUIRE(handled == accepted);
  REQUIRE(system.totals().actors == 0);
  REQUIRE(system.totals().depth == 0);
}

TEST_CASE("work that makes work is handled too before the actors stop") {
  std::atomic<int> handled{0};
  System system(parallel({2, {}}));
  const auto last = system.spawn<Counter>(mailbox_of(0, Overflow::fail), handled).value();
  std::vector<Ref<Counter>> actors;
  for (int i = 0; i < 100; ++i) actors.push_back(system.spawn<Counter>({}, handled).value());
  for (const auto& each : actors) {
    REQUIRE(system.send(each, Act{[last, each](Context& context) {
                          (void)context.send(last, Number{1});
                          (void)context.send(each, Act{[last](Context& next) { (void)next.send(last, Number{2}); }});
                        }}));
  }
  REQUIRE(system.shutdown(30s).clean());
  REQUIRE(handled == 200);
}

TEST_CASE("while it shuts down nothing new comes in: no message, no actor, no publication") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>().value();
  const auto actor = system.spawn<Actor>().value();
  std::optional<Result<Ref<Keeper>>> spawned;
  REQUIRE(system.send(actor, Act{[&](Context& context) { spawned = context.spawn<Keeper>(); }}));
  REQUIRE(system.shutdown(1s).clean());
  REQUIRE(spawned->error().is(codes::system_stopping));
  REQUIRE(system.send(keeper, Number{1}).error().is(codes::system_stopping));
  REQUIRE(system.send_wait(keeper, Number{1}).error().is(codes::system_stopping));
  REQUIRE(system.send("keeper", Number{1}).error().is(codes::no_such_actor));
  REQUIRE(system.publish("a", Number{1}).error().is(codes::system_stopping));
  REQUIRE(system.ask(keeper, Seen{}).wait().error().is(codes::system_stopping));
  REQUIRE(system.spawn<Keeper>().error().is(codes::system_stopping));
  REQUIRE(system.start<Keeper>({}, {}).error().is(codes::system_stopping));
  REQUIRE(system.resend(system.dead_letters().front().number).error().is(codes::system_stopping));
  REQUIRE(system.totals().actors == 0);
  REQUIRE(system.shutdown(1s).clean());  // a second time there is nothing to do
}

TEST_CASE("actors of nobody stop in reverse order, and supervised ones before them") {
  TestSystem system(GENERATE(range(std::uint64_t{0}, std::uint64_t{10})));
  std::atomic<int> count{0};
  Diary diary;
  (void)system.spawn<Counter>({}, count, &diary, "first").value();
  (void)system.spawn<Counter>({}, count, &diary, "second").value();
  ChildOptions options;
  (void)system.start<Counter>({}, options, std::ref(count), &diary, std::string("child 1")).value();
  (void)system.start<Counter>({}, options, std::ref(count), &diary, std::string("child 2")).value();
  (void)system.spawn<Counter>({}, count, &diary, "third").value();
  REQUIRE(system.shutdown(5s).clean());
  REQUIRE(diary.lines() == Lines{"child 2", "child 1", "third", "second", "first"});
}

TEST_CASE("a handler that never returns is named by the report; the others have stopped") {
  std::atomic<int> handled{0};
  Gate gate;
  const bool supervised = GENERATE(false, true);
  System system(parallel({2, {}}));
  Address stuck;
  if (supervised) {
    ChildOptions options;
    options.name = "stuck";
    options.shutdown.time = 50ms;
    stuck = system.start<Counter>({}, options, std::ref(handled)).value();
  } else {
    stuck = system.spawn<Counter>(named("stuck"), handled).value();
  }
  std::vector<Ref<Counter>> others;
  for (int i = 0; i < 100; ++i) others.push_back(system.spawn<Counter>({}, handled).value());
  std::atomic<bool> inside{false};
  REQUIRE(system.send(stuck, Act{[&](Context&) {
                        inside = true;
                        gate.wait();
                      }}));
  REQUIRE(eventually([&] { return inside.load(); }));
  for (const auto& each : others) REQUIRE(system.send(each, Number{1}));
  const auto report = system.shutdown(500ms);
  REQUIRE_FALSE(report.clean());
  REQUIRE(report.stuck.size() == 1);
  REQUIRE(report.stuck[0].name == "stuck");
  REQUIRE(handled == 100);
  REQUIRE(system.totals().actors == 1);
  gate.open();
  REQUIRE(eventually([&] { return system.totals().actors == 0; }));
}

TEST_CASE("what goes on for ever does not hold a shutdown") {
  std::atomic<int> handled{0};
  System system(parallel({2, {}}));
  for (int i = 0; i < 10; ++i) {
    const auto ticking = system.spawn<Counter>({}, handled).value();
    REQUIRE(system.send(ticking, Act{[](Context& context) { context.send_every(1ms, Number{1}); }}));
  }
  REQUIRE(eventually([&] { return handled > 100; }));
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(system.shutdown(60s).clean());
  REQUIRE(std::chrono::steady_clock::now() - start < 20s);
}

TEST_CASE("who never has enough is stopped when the budget is over, and what it left is counted") {
  std::function<void(Context&)> again = [&](Context& context) { (void)context.send(context.self(), Act{again}); };
  TestSystem seeded;
  const auto actor = seeded.spawn<Actor>().value();
  REQUIRE(seeded.send(actor, Act{again}));
  const auto report = seeded.shutdown(100ms);
  REQUIRE(report.stuck.empty());
  REQUIRE(report.undelivered == 1);
  REQUIRE_FALSE(report.clean());
  REQUIRE(seeded.totals().actors == 0);
}

TEST_CASE("a handler that waits in virtual time does not hold a shutdown either") {
  TestSystem system;
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Play{[](Context& context) -> Task<void> { co_await context.sleep(1h); }}));
  system.run_until_idle();
  REQUIRE(system.send(player, Number{1}));
  const auto report = system.shutdown(10s);
  REQUIRE(report.stuck.empty());
  REQUIRE(report.undelivered == 1);
  REQUIRE(system.totals().actors == 0);
}

TEST_CASE("a shutdown while threads send: each message was refused or handled") {
  std::atomic<int> handled{0}, accepted{0};
  std::atomic<bool> over{false};
  System system(parallel({2, {}}));
  std::vector<Ref<Counter>> actors;
  for (int i = 0; i < 50; ++i) actors.push_back(system.spawn<Counter>({}, handled).value());
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 2; ++sender) {
    senders.emplace_back([&] {
      while (!over) {
        for (const auto& each : actors) accepted += system.send(each, Number{1}) ? 1 : 0;
      }
    });
  }
  REQUIRE(eventually([&] { return handled > 1000; }));
  const auto report = system.shutdown(30s);
  over = true;
  for (auto& sender : senders) sender.join();
  REQUIRE(report.stuck.empty());
  REQUIRE(handled + static_cast<int>(report.undelivered) == accepted);
}

TEST_CASE("a shutdown finds a child that waits for its restart") {
  TestSystem system;
  const auto child = system.start<Keeper>({}, {}).value();
  REQUIRE(system.send(child, Boom{}));
  system.run_until_idle();
  REQUIRE(system.info(child)->state == State::failed);
  REQUIRE(system.shutdown(1s).clean());
  REQUIRE(system.totals().actors == 0);
}
