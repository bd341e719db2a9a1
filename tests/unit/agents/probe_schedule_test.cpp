#include "agents/probe/schedule.hpp"

#include <set>

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::probe;

namespace {
const TimePoint kStart{1h};
}

TEST_CASE("nothing is due in an empty schedule") {
  Random random(1);
  Schedule schedule(random);
  CHECK_FALSE(schedule.earliest());
  CHECK_FALSE(schedule.take(kStart));
}

TEST_CASE("the first turns are spread, and come soon even when the period is long") {
  Random random(1);
  Schedule schedule(random);
  for (std::size_t i = 0; i < 1000; ++i) schedule.begin(i, 1h, kStart);
  std::size_t early = 0, all = 0;
  while (schedule.take(kStart + Schedule::start_within / 2)) ++early;
  for (all = early; schedule.take(kStart + Schedule::start_within);) ++all;
  CHECK(all == 1000);
  CHECK(early > 400);
  CHECK(early < 600);
}

TEST_CASE("the next turn is a period after the last one began, give or take a tenth") {
  Random random(1);
  Schedule schedule(random);
  std::set<TimePoint> times;
  for (int i = 0; i < 1000; ++i) {
    schedule.again(7, 10s, kStart, kStart + 1s);
    const auto due = *schedule.earliest();
    CHECK(due >= kStart + 9s);
    CHECK(due <= kStart + 11s);
    times.insert(due);
    CHECK_FALSE(schedule.take(due - 1ns));
    CHECK(schedule.take(due) == 7);
  }
  CHECK(times.size() > 900);
}

TEST_CASE("a check that took longer than its period is due at once, not in the past") {
  Random random(1);
  Schedule schedule(random);
  schedule.again(0, 1s, kStart, kStart + 1min);
  CHECK(schedule.earliest() == kStart + 1min);
}

TEST_CASE("thousands are taken in the order of their times") {
  Random random(3);
  Schedule schedule(random);
  for (std::size_t i = 0; i < 5000; ++i) schedule.begin(i, 5s, kStart);
  std::set<std::size_t> seen;
  TimePoint last = kStart;
  while (const auto due = schedule.earliest()) {
    CHECK(*due >= last);
    last = *due;
    seen.insert(*schedule.take(*due));
  }
  CHECK(seen.size() == 5000);
}
