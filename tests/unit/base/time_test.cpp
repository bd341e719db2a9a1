#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "weft/base/base.hpp"

using namespace weft;

TEST_CASE("wall time survives RFC 3339") {
  const WallTime time = wall_from_us(1'795'161'600'000'001);
  CHECK(to_rfc3339(time) == "2026-11-20T08:00:00.000001Z");
  CHECK(*wall_from_rfc3339(to_rfc3339(time)) == time);
  CHECK(*wall_from_rfc3339("2026-11-20T08:00:00Z") == wall_from_us(1'795'161'600'000'000));
  for (const auto* bad : {"", "2026-13-20T08:00:00Z", "2026-11-20T08:00:00", "yesterday"})
    CHECK_FALSE(wall_from_rfc3339(bad));
}

TEST_CASE("durations need a unit") {
  CHECK(*duration_from("250ms") == 250ms);
  CHECK(*duration_from("1.5s") == 1500ms);
  CHECK(*duration_from("7d") == 168h);
  for (const auto* bad : {"", "5", "s", "-1s", "5 s", "5parsecs"}) CHECK_FALSE(duration_from(bad));
  CHECK(to_text(1500ms) == "1500ms");
  CHECK(to_text(120s) == "2m");
}

TEST_CASE("an id survives its text and sorts by time") {
  Random random(7);
  const Ulid early = Ulid::make(wall_from_us(1'000'000), random), late = Ulid::make(wall_from_us(2'000'000), random);
  CHECK(*Ulid::parse(early.to_string()) == early);
  CHECK(early < late);
  CHECK(early.to_string() < late.to_string());
  CHECK_FALSE(Ulid::parse("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  CHECK_FALSE(Ulid::parse("short"));
}

TEST_CASE("timers run in order of time, then of starting, and not when cancelled") {
  test::ManualLoop loop;
  std::string order;
  loop.after(20ms, [&] { order += 'c'; });
  loop.after(10ms, [&] { order += 'a'; });
  loop.after(10ms, [&] { order += 'b'; });
  loop.cancel(loop.after(5ms, [&] { order += 'x'; }));
  Timer timer(loop);
  timer.start(1ms, [&] { order += 'y'; });
  timer.start(30ms, [&] { order += 'd'; });
  loop.advance(30ms - 1ns);
  CHECK(order == "abc");
  loop.advance(1ns);
  CHECK(order == "abcd");
}
