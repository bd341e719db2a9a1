#include <limits>
#include "tests/support/catch.hpp"

#include "weft/base/backoff.hpp"

using namespace weft;
using namespace std::chrono_literals;

TEST_CASE("delays double from the least to the largest") {
  Backoff backoff(100ms, 1s);
  for (const Duration wanted : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) CHECK(backoff.next() == wanted);
}

TEST_CASE("after a success the delays begin again") {
  Backoff backoff(100ms, 1s);
  for (int i = 0; i < 10; ++i) backoff.next();
  backoff.reset();
  CHECK(backoff.next() == 100ms);
  CHECK(backoff.next() == 200ms);
}

TEST_CASE("a least delay above the largest is cut to it") {
  Backoff backoff(5s, 1s);
  CHECK(backoff.next() == 1s);
  CHECK(backoff.next() == 1s);
  backoff.reset();
  CHECK(backoff.next() == 1s);
}

TEST_CASE("jitter takes at most its part of a delay, and the next delay does not depend on it") {
  Random random(7);
  Backoff backoff(100ms, 100ms);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const Duration delay = backoff.next(0.5, random);
    REQUIRE(delay > 50ms);
    REQUIRE(delay <= 100ms);
    differs = differs || delay < 90ms;
  }
  CHECK(differs);
  CHECK(backoff.next(0, random) == 100ms);
  CHECK(Backoff::jittered(100ms, 1, 0) == 100ms);
  CHECK(Backoff::jittered(100ms, 1, 0.75) == 25ms);
}

TEST_CASE("doubling does not overflow, and nothing doubles to nothing") {
  const Duration most = Duration::max();
  CHECK(doubled(100ms, 0, 1s) == 100ms);
  CHECK(doubled(100ms, 3, 1s) == 800ms);
  CHECK(doubled(100ms, std::numeric_limits<std::uint64_t>::max(), 1s) == 1s);
  CHECK(doubled(1ns, 1000, most) == most);
  CHECK(doubled(0ns, 10, 1s) == 0ns);
  CHECK(doubled(1s, 10, 0ns) == 0ns);
}
