// The same actors under a test that owns the order and the clock: an hour takes no time.
#include <weft/actor_test.hpp>

#include "tests/support/catch.hpp"
#include "weather.hpp"

using namespace std::chrono_literals;

TEST_CASE("a reporter that gets no answer in time says so, and the late answer is only counted") {
  weft::actor::TestSystem system;
  const auto station = system.spawn<Station>().value();
  const auto reporter = system.spawn<Reporter>(station).value();

  auto answer = system.ask(reporter, Weather{"Ulm", 20ms});
  system.disallow<Look>(station);  // nothing runs before the test says so
  system.expect<Weather>(reporter);
  system.expect_from<Look>(reporter, station, [](const Look& look) { return look.city == "Ulm"; });
  REQUIRE_FALSE(system.allow<Look>(station));

  system.advance(19ms);
  REQUIRE_FALSE(answer.ready());
  system.advance(1ms);
  REQUIRE(answer.wait().value() == "nobody told about Ulm");

  system.advance(1h);
  REQUIRE(system.totals().dropped[static_cast<std::size_t>(weft::actor::Drop::late)] == 1);
}

TEST_CASE("a reporter whose station has stopped tells the reason at once") {
  weft::actor::TestSystem system;
  const auto station = system.spawn<Station>().value();
  const auto reporter = system.spawn<Reporter>(station).value();
  system.stop(station);
  system.run_until_idle();

  auto answer = system.ask(reporter, Weather{"Graz", 20ms});
  system.run_until_idle();
  REQUIRE(answer.wait().error().is(weft::codes::actor_closed));
}
