#include "weft/wire/sent_time.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::wire;

TEST_CASE("when an event was sent is read from its extension, also from that of another program") {
  const WallTime now{std::chrono::microseconds(1'700'000'000'123'456)};
  CHECK(sent_us(sent_extension(now)) == 1'700'000'000'123'456);
  CHECK(sent_us(to_msgpack(Value::Map{{"other", 1}, {"sent_us", 77}})) == 77);
  CHECK_FALSE(sent_us(to_msgpack(Value::Map{{"other", 1}})));
  CHECK_FALSE(sent_us(as_bytes("junk")));
  CHECK_FALSE(sent_us({}));
}

TEST_CASE("how long a message was on its way is told against the fastest, whatever the clocks say") {
  TransitTimes transit;
  WallTime now{1h};
  const auto sent_at = [&](Duration ago) { return to_us(now) - 5'000'000'000 - ago / 1us; };  // its clock is far behind
  CHECK(transit.excess(1, sent_at(10ms), now) == 0ms);
  CHECK(transit.excess(1, sent_at(40ms), now) == 30ms);
  CHECK(transit.excess(1, sent_at(5ms), now) == 0ms);
  CHECK(transit.excess(1, sent_at(40ms), now) == 35ms);
  CHECK(transit.excess(2, sent_at(40ms), now) == 0ms);
  now += 61s;
  CHECK(transit.excess(1, sent_at(20ms), now) == 15ms);  // the window before still counts
  now += 121s;
  CHECK(transit.excess(1, sent_at(20ms), now) == 0ms);
}
