#include "weft/mesh/hints.hpp"

#include "tests/support/catch.hpp"
#include "weft/mesh/sent_time.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {
std::string hint(std::string_view pattern, const std::vector<std::string>& published) {
  return nearest_topic(*TopicPattern::parse(pattern), published).value_or("-");
}
}  // namespace

TEST_CASE("a topic that nobody publishes is told with the nearest one, a pattern with its own rest") {
  const std::vector<std::string> published{"sensor.temp", "sensor.rain.day", "host.*.metrics"};
  CHECK(hint("sensr.temp", published) == "sensor.temp");
  CHECK(hint("sensr.*", published) == "sensor.*");
  CHECK(hint("sensor.rian.#", published) == "sensor.rain.#");
  CHECK(hint("hots.alpha.metrics", published) == "-");  // what is announced as a pattern has no such topic yet
  CHECK(hint("hots.#", published) == "host.#");
  CHECK(hint("host.*.metrcs", {"host.alpha.metrics", "host.alpha.load"}) == "host.*.metrics");
  CHECK(hint("*.tmp", published) == "*.temp");
  CHECK(hint("*.temp.extra", published) == "-");
}

TEST_CASE("there is no hint where somebody publishes it, nor where nothing is near") {
  CHECK(hint("sensor.temp", {"sensor.temp", "sensor.tempo"}) == "-");
  CHECK(hint("host.a.metrics", {"host.*.metrics"}) == "-");
  CHECK(hint("weather", {"sensor.temp"}) == "-");
  CHECK(hint("#", {}) == "-");
  CHECK(hint("a.b", {}) == "-");
}

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
