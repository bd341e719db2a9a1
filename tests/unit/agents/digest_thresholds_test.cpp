#include "agents/digest/thresholds.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::digest;

namespace {
const TimePoint kStart{std::chrono::hours(1)};

Threshold above(double limit, Duration lasting = {}) {
  Threshold threshold;
  threshold.name = "high";
  threshold.series = "cpu.busy";
  threshold.above = limit;
  threshold.lasting = lasting;
  return threshold;
}

/// Values of cpu.busy of one host, a second apart; what each did: '^' raised, 'v' cleared, '.' nothing.
std::string run(Threshold threshold, const std::vector<double>& values, Duration apart = 1s) {
  auto thresholds = Thresholds::make({std::move(threshold)});
  REQUIRE(thresholds);
  std::string told;
  auto now = kStart;
  for (const double value : values) {
    const auto crossings = thresholds->check("alpha", "cpu.busy", value, now);
    REQUIRE(crossings.size() <= 1);
    told += crossings.empty() ? '.' : crossings[0].raised ? '^' : 'v';
    now += apart;
  }
  return told;
}
}  // namespace

TEST_CASE("a crossing is told once, and once when it is over") {
  CHECK(run(above(0.9), {0.5, 0.95, 0.99, 0.95, 0.5, 0.5}) == ".^..v.");
}

TEST_CASE("the limit itself is not over it") { CHECK(run(above(0.9), {0.9, 0.9}) == ".."); }

TEST_CASE("a value that swings around the limit is told once") {
  CHECK(run(above(1.0), {1.1, 0.95, 1.1, 0.95, 1.1, 0.9}) == "^....v");
}

TEST_CASE("where it counts as back can be set") {
  auto threshold = above(1.0);
  threshold.clear = 0.5;
  CHECK(run(threshold, {1.1, 0.6, 0.5, 1.1}) == "^.v^");
}

TEST_CASE("it must last, and be back as long") {
  CHECK(run(above(0.9, 2s), {1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0}) == ".....^......v.");
}

TEST_CASE("a silence is no lasting") {
  CHECK(run(above(0.9, 40s), {1, 1, 1, 1}, 31s) == "....");
  CHECK(run(above(0.9, 40s), {1, 1, 1}, 30s) == "..^");
}

TEST_CASE("below works as above does") {
  Threshold threshold = above(0);
  threshold.above.reset();
  threshold.below = 100;
  CHECK(run(threshold, {150, 99, 105, 110, 99}) == ".^.v^");
}

TEST_CASE("a limit of zero and one below zero have their good side too") {
  CHECK(run(above(0), {1, 0, 1}) == "^v^");
  CHECK(run(above(-10), {-5, -10.5, -11}) == "^.v");
}

TEST_CASE("each host and each series that matches is watched for itself") {
  auto threshold = above(1);
  threshold.series = "disk.*.busy";
  threshold.host = "a";
  auto thresholds = Thresholds::make({threshold});
  CHECK(thresholds->check("a", "disk.x.busy", 2, kStart).size() == 1);
  CHECK(thresholds->check("a", "disk.y.busy", 2, kStart).size() == 1);
  CHECK(thresholds->check("a", "disk.x.busy", 2, kStart).empty());
  CHECK(thresholds->check("b", "disk.x.busy", 2, kStart).empty());
  CHECK(thresholds->check("a", "cpu.busy", 2, kStart).empty());
  thresholds->forget("a");
  CHECK(thresholds->check("a", "disk.x.busy", 2, kStart).size() == 1);
}

TEST_CASE("two thresholds on one series are told apart") {
  auto warning = above(0.8), error = above(0.9);
  error.severity = Severity::error;
  auto thresholds = Thresholds::make({warning, error});
  CHECK(thresholds->check("a", "cpu.busy", 0.85, kStart).size() == 1);
  const auto both = thresholds->check("a", "cpu.busy", 0.95, kStart);
  REQUIRE(both.size() == 1);
  CHECK(both[0].threshold->severity == Severity::error);
}

TEST_CASE("mistakes of a threshold are told with its name") {
  auto message = [](Threshold threshold) { return Thresholds::make({std::move(threshold)}).error().message; };
  auto neither = above(1), both = above(1), wrong_side = above(1), pattern = above(1);
  neither.above.reset();
  both.below = 0;
  wrong_side.clear = 2;
  pattern.series = "a..b";
  CHECK(message(neither) == "threshold 'high': wanted one of 'above' and 'below'");
  CHECK(message(both) == "threshold 'high': wanted one of 'above' and 'below'");
  CHECK(message(wrong_side).find("good side") != std::string::npos);
  CHECK(message(pattern).find("series") != std::string::npos);
}
