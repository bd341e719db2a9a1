#include "weft/mesh/hints.hpp"

#include "tests/support/catch.hpp"

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
