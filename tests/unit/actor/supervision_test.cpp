#include <initializer_list>

#include "tests/support/catch.hpp"
#include "tests/unit/actor/actions.hpp"

using namespace weft;
using namespace weft::actor;

namespace {

constexpr ChildPolicy permanent{}, transient{Restart::transient, false}, temporary{Restart::temporary, false},
    significant{Restart::permanent, true};

SupervisorOptions with(Strategy strategy, Intensity child = {}, Intensity total = {100, 60s}) {
  SupervisorOptions options;
  options.strategy = strategy;
  options.child_limit = child;
  options.total_limit = total;
  return options;
}

/// A supervisor whose children are named by numbers in start order, and a clock.
struct Fixture {
  explicit Fixture(SupervisorOptions options) : supervision(options) {}
  explicit Fixture(Strategy strategy) : Fixture(with(strategy)) {}

  std::string add(Supervision::Child child, ChildPolicy policy = permanent) {
    return told(supervision.add(child, policy));
  }
  std::string remove(Supervision::Child child) { return told(supervision.remove(child)); }
  std::string started(Supervision::Child child) { return told(supervision.started(child)); }
  std::string restart(Supervision::Child child) { return told(supervision.restart(child)); }
  std::string stop_all() { return told(supervision.stop_all()); }
  std::string ended(Supervision::Child child, Reason reason = Reason::error) {
    return told(supervision.ended(child, reason, now));
  }
  /// The answer to a stop.
  std::string stopped(Supervision::Child child) { return ended(child, Reason::shutdown); }
  void run(std::initializer_list<Supervision::Child> children, ChildPolicy policy = permanent) {
    for (const auto child : children) {
      REQUIRE(add(child, policy) == "start " + std::to_string(child));
      REQUIRE(started(child).empty());
    }
  }
  /// Crashes and starts again at once, `times` times.
  void crash(Supervision::Child child, int times) {
    for (int i = 0; i < times; ++i) {
      REQUIRE(ended(child).substr(0, 5) == "start");
      REQUIRE(started(child).empty());
    }
  }

  Supervision supervision;
  TimePoint now{1h};

 private:
  static std::string told(const Supervision::Actions& actions) { return test::text(actions); }
};

struct OneForOne : Fixture {
  OneForOne() : Fixture(Strategy::one_for_one) {}
};
struct OneForAll : Fixture {
  OneForAll() : Fixture(Strategy::one_for_all) {}
};
struct RestForOne : Fixture {
  RestForOne() : Fixture(Strategy::rest_for_one) {}
};

}  // namespace

TEST_CASE("strategies have the names that the tree prints") {
  CHECK(to_string(Strategy::one_for_one) == "one_for_one");
  CHECK(to_string(Strategy::rest_for_one) == "rest_for_one");
}

TEST_CASE_METHOD(OneForOne, "without children there is nothing to do, and a stop is done at once") {
  CHECK(started(1).empty());
  CHECK(ended(1).empty());
  CHECK(remove(1).empty());
  CHECK(restart(1).empty());
  CHECK(supervision.size() == 0);
  CHECK(supervision.restarts(1) == 0);
  CHECK(stop_all() == "finished");
  CHECK(stop_all() == "finished");
}

TEST_CASE_METHOD(OneForOne, "one_for_one starts children without waiting for each other") {
  CHECK(add(1) == "start 1");
  CHECK(add(2) == "start 2");
  CHECK(started(2).empty());
  CHECK(started(1).empty());
  CHECK(supervision.size() == 2);
}

TEST_CASE_METHOD(OneForOne, "a child that is known cannot be added again") {
  add(1);
  CHECK_THROWS_AS(add(1), std::logic_error);
  CHECK(supervision.size() == 1);
}

TEST_CASE_METHOD(OneForOne, "one_for_one restarts only the child that failed, each time later") {
  run({1, 2});
  for (const std::string delay : {"100ms", "200ms", "400ms", "800ms", "1600ms"}) {
    CHECK(ended(1) == "start 1 after " + delay);
    CHECK(started(1).empty());
  }
  CHECK(supervision.restarts(1) == 5);
  CHECK(supervision.restarts(2) == 0);
}

TEST_CASE_METHOD(OneForOne, "the sixth crash in the window is one too many, and the sibling still restarts") {
  run({1, 2});
  crash(1, 5);
  CHECK(ended(1) == "gave_up 1");
  CHECK(ended(2) == "start 2 after 100ms");
  CHECK(supervision.size() == 2);
  CHECK(ended(1).empty());
  CHECK(remove(1) == "removed 1");
}

TEST_CASE_METHOD(OneForOne, "crashes that left the window no longer count, nor delay") {
  run({1});
  crash(1, 5);
  now += 60s + 1ns;
  CHECK(ended(1) == "start 1 after 100ms");
}

TEST_CASE_METHOD(OneForOne, "a start that fails is an error of the child") {
  CHECK(add(1) == "start 1");
  CHECK(ended(1) == "start 1 after 100ms");
  CHECK(ended(1) == "start 1 after 200ms");
  CHECK(add(2, temporary) == "start 2");
  CHECK(ended(2) == "removed 2");
}

TEST_CASE_METHOD(OneForOne, "a significant child that is given up fails the supervisor once all have stopped") {
  run({1});
  run({2}, significant);
  run({3});
  crash(2, 5);
  CHECK(ended(2) == "gave_up 2, stop 3");
  CHECK(stopped(3) == "stop 1");
  CHECK(stopped(1) == "fail");
  CHECK(ended(1).empty());
}

TEST_CASE("more restarts of all children than the supervisor's limit fail it") {
  Fixture fixture(with(Strategy::one_for_one, {5, 60s}, {2, 60s}));
  fixture.run({1, 2, 3});
  CHECK(fixture.ended(1) == "start 1 after 100ms");
  CHECK(fixture.ended(2) == "start 2 after 100ms");
  CHECK(fixture.ended(3) == "stop 2");
  CHECK(fixture.stopped(2) == "stop 1");
  CHECK(fixture.stopped(1) == "fail");
}

TEST_CASE_METHOD(OneForOne, "a child that escalates fails the supervisor at once, whatever its restart type") {
  run({1});
  run({2}, temporary);
  CHECK(ended(2, Reason::escalated) == "removed 2, stop 1");
  CHECK(stopped(1) == "fail");
}

TEST_CASE_METHOD(OneForOne, "who is not restarted stays known until removed, but a temporary child is forgotten") {
  run({1}, transient);
  run({2}, temporary);
  run({3});
  CHECK(ended(1, Reason::normal).empty());
  CHECK(ended(2, Reason::normal) == "removed 2");
  CHECK(ended(3, Reason::shutdown).empty());
  CHECK(supervision.size() == 2);
  CHECK(remove(1) == "removed 1");
  CHECK(remove(1).empty());
  CHECK(add(1) == "start 1");
}

TEST_CASE_METHOD(OneForOne, "a child that is removed is stopped, and never restarted, however it ends") {
  run({1, 2});
  CHECK(remove(1) == "stop 1");
  CHECK(remove(1).empty());
  CHECK(started(1).empty());
  CHECK(ended(1, Reason::escalated) == "removed 1");
  CHECK(supervision.size() == 1);
}

TEST_CASE_METHOD(OneForOne, "a child is removed while its start waits") {
  run({1});
  CHECK(ended(1) == "start 1 after 100ms");
  CHECK(remove(1) == "stop 1");
  CHECK(stopped(1) == "removed 1");
}

TEST_CASE_METHOD(OneForOne, "a restart on purpose stops the child and counts as its error") {
  run({1}, transient);
  CHECK(restart(1) == "stop 1");
  CHECK(restart(1).empty());
  CHECK(ended(1, Reason::normal) == "start 1 after 100ms");
  CHECK(restart(1).empty());
  CHECK(started(1).empty());
  crash(1, 4);
  CHECK(restart(1) == "stop 1");
  CHECK(stopped(1) == "gave_up 1");
}

TEST_CASE_METHOD(OneForOne, "a child is removed while it is restarted on purpose") {
  run({1});
  CHECK(restart(1) == "stop 1");
  CHECK(remove(1).empty());
  CHECK(restart(1).empty());
  CHECK(stopped(1) == "removed 1");
}

TEST_CASE_METHOD(OneForOne, "all stop in reverse start order, one after the other, and nothing starts any more") {
  run({1, 2, 3});
  CHECK(stop_all() == "stop 3");
  CHECK(stop_all().empty());
  CHECK(add(4) == "removed 4");
  CHECK(ended(1).empty());
  CHECK(restart(2).empty());
  CHECK(remove(2).empty());
  CHECK(stopped(3) == "stop 2");
  CHECK(stopped(2) == "removed 2, finished");
  CHECK(add(4) == "removed 4");
  CHECK(supervision.size() == 2);
}

TEST_CASE_METHOD(OneForOne, "a stop of all waits for children that are being stopped already") {
  run({1, 2, 3});
  CHECK(remove(2) == "stop 2");
  CHECK(restart(3) == "stop 3");
  CHECK(stop_all().empty());
  CHECK(stopped(2) == "removed 2");
  CHECK(stopped(3) == "stop 1");
  CHECK(stopped(1) == "finished");
}

TEST_CASE_METHOD(OneForOne, "who is asked to stop while failing answers finished") {
  run({1, 2});
  CHECK(ended(2, Reason::escalated) == "stop 1");
  CHECK(stop_all().empty());
  CHECK(stopped(1) == "finished");
}

TEST_CASE_METHOD(OneForAll, "children start one after the other") {
  CHECK(add(1) == "start 1");
  CHECK(add(2).empty());
  CHECK(add(3).empty());
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
  CHECK(started(3).empty());
}

TEST_CASE_METHOD(OneForAll, "one_for_all stops all in reverse order and starts all in order") {
  run({1, 2, 3});
  CHECK(ended(2) == "stop 3");
  CHECK(stopped(3) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
  CHECK(started(3).empty());
  CHECK(supervision.restarts(3) == 1);
}

TEST_CASE_METHOD(RestForOne, "rest_for_one restarts only those after the one that failed") {
  run({1, 2, 3});
  CHECK(ended(2) == "stop 3");
  CHECK(stopped(3) == "start 2 after 100ms");
  CHECK(started(2) == "start 3");
  CHECK(started(3).empty());
  CHECK(ended(3) == "start 3 after 100ms");
  CHECK(supervision.restarts(1) == 0);
}

TEST_CASE_METHOD(OneForAll, "a first start that fails half way stops what started, and all begin anew") {
  run({1});
  CHECK(add(2) == "start 2");
  CHECK(add(3).empty());
  CHECK(ended(2) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
}

TEST_CASE_METHOD(OneForAll, "a child that never starts fails the supervisor at its limit") {
  run({1});
  CHECK(add(2) == "start 2");
  for (int i = 0; i < 5; ++i) {
    CHECK(ended(2) == "stop 1");
    CHECK(stopped(1).substr(0, 13) == "start 1 after");
    CHECK(started(1) == "start 2");
  }
  CHECK(ended(2) == "gave_up 2, stop 1");
  CHECK(stopped(1) == "fail");
}

TEST_CASE_METHOD(OneForAll, "what crashes while its group is stopped is not counted and starts with the others") {
  run({1, 2, 3});
  CHECK(ended(1) == "stop 3");
  CHECK(ended(2).empty());
  CHECK(ended(3) == "start 1 after 100ms");
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
  CHECK(started(3).empty());
  CHECK(ended(2) == "stop 3");
  CHECK(stopped(3) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
}

TEST_CASE_METHOD(OneForAll, "what escalates while its group is stopped fails the supervisor") {
  run({1, 2, 3});
  CHECK(ended(2) == "stop 3");
  CHECK(ended(3, Reason::escalated) == "stop 1");
  CHECK(stopped(1) == "fail");
}

TEST_CASE_METHOD(OneForAll, "a temporary child is forgotten and one that finished stays down when all restart") {
  run({1});
  run({2}, temporary);
  run({3, 4}, transient);
  CHECK(ended(3, Reason::normal).empty());
  CHECK(ended(1) == "stop 4");
  CHECK(ended(4, Reason::normal) == "stop 2");
  CHECK(stopped(2) == "removed 2, start 1 after 100ms");
  CHECK(started(1).empty());
  CHECK(supervision.size() == 3);
}

TEST_CASE_METHOD(OneForAll, "a child that ends for good before it reports started lets the next one start") {
  CHECK(add(1, transient) == "start 1");
  CHECK(add(2, temporary).empty());
  CHECK(add(3).empty());
  CHECK(ended(1, Reason::normal) == "start 2");
  CHECK(ended(2) == "removed 2, start 3");
}

TEST_CASE_METHOD(OneForAll, "one who fails while the others start makes all stop again") {
  run({1, 2, 3});
  CHECK(ended(3) == "stop 2");
  CHECK(stopped(2) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
  CHECK(started(1) == "start 2");
  CHECK(ended(1) == "stop 2");
  CHECK(started(2).empty());
  CHECK(stopped(2) == "start 1 after 100ms");
}

TEST_CASE_METHOD(RestForOne,
                 "an earlier child that fails while later ones are stopped joins them, with the longer delay") {
  run({1, 2, 3, 4});
  CHECK(ended(3) == "stop 4");
  CHECK(stopped(4) == "start 3 after 100ms");
  CHECK(started(3) == "start 4");
  CHECK(started(4).empty());
  CHECK(ended(3) == "stop 4");
  CHECK(ended(1).empty());
  CHECK(stopped(4) == "stop 2");
  CHECK(stopped(2) == "start 1 after 200ms");
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
  CHECK(started(3) == "start 4");
}

TEST_CASE_METHOD(RestForOne, "an earlier child that fails calls off a start that waits") {
  run({1, 2});
  CHECK(ended(2) == "start 2 after 100ms");
  CHECK(ended(1) == "stop 2");
  CHECK(stopped(2) == "start 1 after 100ms");
  CHECK(started(1) == "start 2");
}

TEST_CASE_METHOD(OneForAll, "a child added while its group restarts starts as the last") {
  run({1, 2});
  CHECK(ended(1) == "stop 2");
  CHECK(add(3).empty());
  CHECK(stopped(2) == "start 1 after 100ms");
  CHECK(add(4).empty());
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
  CHECK(started(3) == "start 4");
}

TEST_CASE_METHOD(OneForAll, "a child removed while its group is stopped goes in its turn") {
  run({1, 2, 3});
  CHECK(ended(2) == "stop 3");
  CHECK(remove(3).empty());
  CHECK(remove(2) == "removed 2");
  CHECK(remove(1).empty());
  CHECK(stopped(3) == "removed 3, stop 1");
  CHECK(stopped(1) == "removed 1");
  CHECK(add(4) == "start 4");
}

TEST_CASE_METHOD(OneForAll, "a child removed while the others wait for its start lets them start") {
  run({1, 2, 3});
  CHECK(ended(1) == "stop 3");
  CHECK(stopped(3) == "stop 2");
  CHECK(stopped(2) == "start 1 after 100ms");
  CHECK(remove(3) == "removed 3");
  CHECK(remove(1) == "stop 1");
  CHECK(stopped(1) == "removed 1, start 2 after 100ms");
  CHECK(started(2).empty());
}

TEST_CASE_METHOD(RestForOne, "the delay of a removed child does not delay what is added later") {
  run({1, 2});
  CHECK(ended(2) == "start 2 after 100ms");
  CHECK(remove(2) == "stop 2");
  CHECK(stopped(2) == "removed 2");
  CHECK(add(3) == "start 3");
}

TEST_CASE_METHOD(RestForOne, "a child before the group is removed at once") {
  run({1, 2, 3});
  CHECK(ended(2) == "stop 3");
  CHECK(remove(1) == "stop 1");
  CHECK(stopped(1) == "removed 1");
  CHECK(stopped(3) == "start 2 after 100ms");
}

TEST_CASE_METHOD(OneForAll, "a restart on purpose first ends the child, then its group") {
  run({1, 2, 3});
  CHECK(restart(2) == "stop 2");
  CHECK(stopped(2) == "stop 3");
  CHECK(stopped(3) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
}

TEST_CASE_METHOD(OneForAll, "a restart on purpose in a group that restarts already is not counted") {
  run({1, 2, 3});
  CHECK(restart(2) == "stop 2");
  CHECK(ended(3).empty());
  CHECK(restart(1).empty());
  CHECK(stopped(2) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
  CHECK(started(1) == "start 2");
  CHECK(started(2) == "start 3");
  CHECK(started(3).empty());
  CHECK(ended(2) == "stop 3");
  CHECK(stopped(3) == "stop 1");
  CHECK(stopped(1) == "start 1 after 100ms");
}

TEST_CASE_METHOD(OneForAll, "a stop of all while a group is stopped goes on from there") {
  run({1, 2, 3});
  CHECK(ended(1) == "stop 3");
  CHECK(stop_all().empty());
  CHECK(stopped(3) == "stop 2");
  CHECK(stopped(2) == "finished");
}

TEST_CASE_METHOD(OneForAll, "a stop of all while a group starts calls off the start that waits") {
  run({1, 2});
  CHECK(ended(1) == "stop 2");
  CHECK(stopped(2) == "start 1 after 100ms");
  CHECK(stop_all() == "stop 1");
  CHECK(stopped(1) == "finished");
}

TEST_CASE("giving a child up fails a supervisor that restarts groups") {
  const auto strategy = GENERATE(Strategy::one_for_all, Strategy::rest_for_one);
  Fixture fixture(with(strategy, {1, 60s}));
  fixture.run({1, 2});
  CHECK(fixture.ended(2) == (strategy == Strategy::one_for_all ? "stop 1" : "start 2 after 100ms"));
  if (strategy == Strategy::one_for_all) {
    CHECK(fixture.stopped(1) == "start 1 after 100ms");
    CHECK(fixture.started(1) == "start 2");
  }
  CHECK(fixture.started(2).empty());
  CHECK(fixture.ended(2) == "gave_up 2, stop 1");
  CHECK(fixture.stopped(1) == "fail");
}

TEST_CASE("the same seed gives the same jitter of all restarts") {
  const auto all = [](std::uint64_t seed) {
    SupervisorOptions options;
    options.backoff.jitter = 0.1;
    options.seed = seed;
    Fixture fixture(options);
    fixture.run({1});
    std::string told;
    for (int i = 0; i < 5; ++i) {
      told += fixture.ended(1);
      fixture.started(1);
    }
    return told;
  };
  CHECK(all(7) == all(7));
  CHECK(all(7) != all(8));
}
