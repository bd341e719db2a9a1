// one_for_all and rest_for_one: what happens to a group, and what meets a group in motion.
#include "tests/unit/actor/supervision_fixture.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

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
