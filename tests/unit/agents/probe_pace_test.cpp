#include "agents/probe/pace.hpp"

#include <set>

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::probe;

TEST_CASE("first checks are spread, and come soon even when the period is long") {
  int early = 0;
  for (std::uint64_t target = 0; target < 1000; ++target) {
    const Duration first = Pace(1h, target).first();
    CHECK(first >= 0s);
    CHECK(first < Pace::kStartWithin);
    if (first < Pace::kStartWithin / 2) ++early;
  }
  CHECK(early > 400);
  CHECK(early < 600);
}

TEST_CASE("the first check of a short period comes within that period") {
  for (std::uint64_t target = 0; target < 1000; ++target) CHECK(Pace(100ms, target).first() < 100ms);
}

TEST_CASE("the next check is a period after the last one began, give or take a tenth") {
  Pace pace(10s, 1);
  std::set<Duration> delays;
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = pace.next(1s);
    CHECK(delay >= 8s);
    CHECK(delay <= 10s);
    delays.insert(delay);
  }
  CHECK(delays.size() > 900);
}

TEST_CASE("a check that took longer than its period is due again at once, not in the past") {
  CHECK(Pace(1s, 1).next(1min) == 0s);
}
