#include <stdexcept>

#include "tests/unit/actor/supervision_fixture.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

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

TEST_CASE_METHOD(OneForOne, "ten thousand children are told to start before the first has started") {
  for (Supervision::Child child = 1; child <= 10'000; ++child) {
    if (supervision.add(child, permanent).size() != 1) FAIL("child " << child << " waits");
  }
  CHECK(supervision.size() == 10'000);
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
