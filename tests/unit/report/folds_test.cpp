#include "weft/report/folds.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"

using namespace weft;
using namespace weft::report;

namespace {
ErrorEvent of_issue(std::uint64_t n, std::string message) {
  ErrorEvent event = test::numbered_event(n);
  event.message = std::move(message);
  return event;
}
}  // namespace

TEST_CASE("events of one issue become one that says how many there were, and the time of the newest") {
  Folds folds;
  CHECK_FALSE(folds.take());
  for (std::uint64_t n = 1; n <= 5; ++n) {
    REQUIRE(folds.add(of_issue(n, "disk " + std::to_string(n))));
    REQUIRE(folds.add(of_issue(10 + n, "fan " + std::to_string(n))));
  }
  CHECK(folds.events() == 10);
  const auto disk = folds.take(), fan = folds.take();
  REQUIRE(disk);
  CHECK(disk->message == "disk 1");
  CHECK(disk->repeated == 4);
  CHECK(disk->time_us == test::numbered_event(5).time_us);
  REQUIRE(fan);
  CHECK(fan->repeated == 4);
  CHECK_FALSE(folds.take());
  CHECK(folds.events() == 0);
}

TEST_CASE("what is counted apart is folded apart: severity, agent, exception") {
  Folds folds;
  ErrorEvent event = of_issue(1, "x");
  REQUIRE(folds.add(event));
  event.severity = Severity::critical;
  REQUIRE(folds.add(event));
  event.agent = "other";
  REQUIRE(folds.add(event));
  event.exception = "std::bad_alloc";
  REQUIRE(folds.add(event));
  int samples = 0;
  while (folds.take()) ++samples;
  CHECK(samples == 4);
}

TEST_CASE("one that stands for several counts as many") {
  Folds folds;
  ErrorEvent event = of_issue(1, "x");
  event.repeated = 9;
  REQUIRE(folds.add(event));
  REQUIRE(folds.add(event));
  CHECK(folds.events() == 20);
  CHECK(folds.take()->repeated == 19);
}

TEST_CASE("there is room for so many issues, and so many bytes; those that are known count on") {
  Folds folds;
  for (std::size_t i = 0; i < Folds::kIssuesMax; ++i) {
    ErrorEvent event = of_issue(i, "x");
    event.code = "CODE-" + std::to_string(i);
    REQUIRE(folds.add(std::move(event)));
  }
  ErrorEvent known = of_issue(7, "x"), other = known;
  known.code = "CODE-0";
  other.code = "OTHER";
  CHECK(folds.add(known));
  CHECK_FALSE(folds.add(other));
  CHECK(folds.events() == Folds::kIssuesMax + 1);
  (void)folds.take();
  CHECK(folds.add(other));

  Folds large;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    ErrorEvent event = of_issue(i, "x");
    event.code = "CODE-" + std::to_string(i);
    event.stack.assign(64 * 1024, 's');
    if (large.add(std::move(event))) ++kept;
  }
  CHECK(kept == Folds::kBytesMax / size_of([] {
                  ErrorEvent event = of_issue(0, "x");
                  event.stack.assign(64 * 1024, 's');
                  return event;
                }()));
}
