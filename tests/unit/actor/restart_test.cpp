#include <algorithm>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"
#include "weft/actor/actor.hpp"

using namespace weft;
using namespace weft::actor;

namespace {

std::vector<Duration> delays(const Backoff& backoff, std::uint32_t count, std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<Duration> result;
  for (std::uint32_t n = 0; n < count; ++n) result.push_back(backoff.delay(n, random));
  return result;
}

Backoff of_kind(Backoff::Kind kind, Duration base, Duration max) { return {kind, base, max, 0}; }

}  // namespace

TEST_CASE("the restart type and the reason decide together who is restarted") {
  struct Row {
    Reason reason;
    bool permanent, transient, temporary;
  };
  const auto row = GENERATE(Row{Reason::normal, true, false, false}, Row{Reason::shutdown, false, false, false},
                            Row{Reason::error, true, true, false}, Row{Reason::escalated, true, true, false},
                            Row{Reason::killed, true, true, false}, Row{Reason::not_found, false, false, false});
  CAPTURE(to_string(row.reason));
  CHECK(restarts(Restart::permanent, row.reason) == row.permanent);
  CHECK(restarts(Restart::transient, row.reason) == row.transient);
  CHECK(restarts(Restart::temporary, row.reason) == row.temporary);
}

TEST_CASE("reasons have the names that the tree prints") {
  CHECK(to_string(Reason::normal) == "normal");
  CHECK(to_string(Reason::not_found) == "not_found");
}

TEST_CASE("the default delays double from 100 ms") {
  CHECK(delays(Backoff{}, 5) == std::vector<Duration>{100ms, 200ms, 400ms, 800ms, 1600ms});
}

TEST_CASE("a delay never exceeds its maximum") {
  const auto sixteen = delays(of_kind(Backoff::Kind::exponential, 100ms, 5s), 16);
  CHECK(sixteen[5] == 3200ms);
  CHECK(sixteen[6] == 5s);
  CHECK(sixteen[15] == 5s);
  CHECK(delays(of_kind(Backoff::Kind::fixed, 7s, 5s), 1) == std::vector<Duration>{5s});
}

TEST_CASE("a fixed delay stays, a linear one grows by its base, and none is zero") {
  CHECK(delays(of_kind(Backoff::Kind::fixed, 2s, 60s), 3) == std::vector<Duration>{2s, 2s, 2s});
  CHECK(delays(of_kind(Backoff::Kind::linear, 2s, 5s), 4) == std::vector<Duration>{2s, 4s, 5s, 5s});
  CHECK(delays(Backoff::none(), 3) == std::vector<Duration>{0s, 0s, 0s});
}

TEST_CASE("no number of restarts and no base overflows a delay") {
  const auto kind = GENERATE(Backoff::Kind::linear, Backoff::Kind::exponential);
  const auto n = GENERATE(std::uint32_t{31}, std::uint32_t{32}, std::uint32_t{62}, std::uint32_t{63}, std::uint32_t{64},
                          std::numeric_limits<std::uint32_t>::max());
  const double jitter = GENERATE(0.0, 1.0);
  const auto base = GENERATE(Duration(1), Duration(10s), Duration::max());
  const auto max = GENERATE(Duration(60s), Duration::max());
  Random random(n);
  const Duration delay = Backoff{kind, base, max, jitter}.delay(n, random);
  CHECK(delay >= 0ns);
  CHECK(delay <= max);
}

TEST_CASE("a base or a maximum that is not positive means no delay") {
  const auto kind = GENERATE(Backoff::Kind::fixed, Backoff::Kind::linear, Backoff::Kind::exponential);
  CHECK(delays(of_kind(kind, -1s, 5s), 2) == std::vector<Duration>{0s, 0s});
  CHECK(delays(of_kind(kind, 0s, 5s), 2) == std::vector<Duration>{0s, 0s});
  CHECK(delays(of_kind(kind, 1s, -5s), 2) == std::vector<Duration>{0s, 0s});
}

TEST_CASE("jitter moves a delay to both sides by at most its share, and never above the maximum") {
  const auto moved = delays({Backoff::Kind::fixed, 1s, 60s, 0.1}, 200);
  const auto [least, most] = std::minmax_element(moved.begin(), moved.end());
  CHECK(*least >= 900ms);
  CHECK(*least < 950ms);
  CHECK(*most <= 1100ms);
  CHECK(*most > 1050ms);
  for (const Duration delay : delays({Backoff::Kind::fixed, 1s, 1s, 0.1}, 200)) CHECK(delay <= 1s);
}

TEST_CASE("the same seed gives the same jitter, another seed another") {
  const Backoff backoff{Backoff::Kind::exponential, 100ms, 60s, 0.1};
  CHECK(delays(backoff, 8, 7) == delays(backoff, 8, 7));
  CHECK(delays(backoff, 8, 7) != delays(backoff, 8, 8));
}
