#include "weft/net/transit.hpp"

#include "tests/support/catch.hpp"

using weft::net::TransitClock;

TEST_CASE("the fastest message of a connection waited for nothing, whatever the clocks say") {
  TransitClock clock;
  CHECK(clock.delay(5'000'000, 100) == 0);
  CHECK(clock.delay(5'000'010, 110) == 0);
  CHECK(clock.delay(5'000'020, 620) == 500);  // 500 us late
  CHECK(clock.delay(5'000'030, 100) == 0);    // faster than all before: the new measure
  CHECK(clock.delay(5'000'040, 120) == 10);
}

TEST_CASE("a receiver that stood still for 5 s finds its messages 5 s late") {
  TransitClock clock;
  for (std::uint32_t at = 0; at < 1000; ++at) CHECK(clock.delay(at * 1000, at * 1000 + 777) == 0);
  CHECK(clock.delay(1'000'000, 6'000'777) == 5'000'000);
  CHECK(clock.delay(5'999'000, 6'000'777) == 1'000);
}

TEST_CASE("stamps wrap around") {
  TransitClock clock;
  CHECK(clock.delay(0xffff'fff0, 0x10) == 0);
  CHECK(clock.delay(0x10, 0x40) == 0x10);
}

TEST_CASE("clocks that drift apart by 50 ppm are no delay of more than a few milliseconds") {
  TransitClock clock;
  std::uint32_t worst = 0;
  for (std::uint64_t at = 0; at < 3'600'000'000; at += 1'000'000)  // an hour, a message a second
    worst = std::max(worst, clock.delay(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + at / 20'000)));
  CHECK(worst <= 3'100);
  CHECK(clock.delay(0, 0) <= 3'100);
}

TEST_CASE("after two silent minutes the connection is measured anew") {
  TransitClock clock;
  CHECK(clock.delay(0, 0) == 0);
  CHECK(clock.delay(200'000'000, 200'009'000) == 0);
}
