#include "agents/digest/sketch.hpp"

#include <algorithm>
#include <cmath>

#include "tests/support/catch.hpp"
#include "weft/base/base.hpp"

using namespace weft;
using namespace weft::digest;

namespace {
double quantile(const std::vector<double>& values, double q) {
  Sketch sketch;
  for (const double value : values) sketch.add(value);
  Sketch::Counts counts;
  sketch.add_to(counts);
  return quantile_of(counts, values.size(), q);
}
double exact(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[rank_of(values.size(), q) - 1];
}
}  // namespace

TEST_CASE("a rank lies between one and all") {
  CHECK(rank_of(0, 0.5) == 1);
  CHECK(rank_of(1, 0.0) == 1);
  CHECK(rank_of(4, 0.5) == 2);
  CHECK(rank_of(5, 0.5) == 3);
  CHECK(rank_of(100, 0.95) == 95);
  CHECK(rank_of(10, 1.0) == 10);
}

TEST_CASE("quantiles of nothing, one and the same value") {
  CHECK(quantile({}, 0.5) == 0);
  CHECK(quantile({42}, 0.5) == Approx(42).epsilon(kSketchError));
  CHECK(quantile({0, 0, 0}, 0.95) == 0);
  CHECK(quantile({-7, -7}, 0.5) == Approx(-7).epsilon(kSketchError));
}

TEST_CASE("quantiles are within one percent over eighteen orders of magnitude, below zero too") {
  Random random(7);
  std::vector<double> values;
  for (std::size_t i = 0; i < Sketch::kBinsMax; ++i) {
    const double magnitude = std::pow(10.0, random.unit() * 18 - 6);
    values.push_back(random.below(3) == 0 ? -magnitude : magnitude);
  }
  for (const double q : {0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0}) {
    CAPTURE(q);
    const double wanted = exact(values, q);
    CHECK(std::abs(quantile(values, q) - wanted) <= std::abs(wanted) * kSketchError * 1.0001);
  }
}

TEST_CASE("values too small and too large to tell apart stay in order") {
  CHECK(quantile({1e-300, 5}, 0.5) == 0);
  CHECK(quantile({1e300, 1}, 1.0) == Approx(1e18).epsilon(0.02));
  CHECK(quantile({-1e300, 1}, 0.5) == Approx(-1e18).epsilon(0.02));
}

TEST_CASE("with too many bins the sketch keeps its size and the middle of its values nearly right") {
  Random random(7);
  std::vector<double> values;
  for (int i = 0; i < 20'000; ++i) values.push_back(std::pow(10.0, random.unit() * 12));
  Sketch sketch;
  for (const double value : values) sketch.add(value);
  Sketch::Counts counts;
  sketch.add_to(counts);
  CHECK(counts.size() == Sketch::kBinsMax);
  std::uint64_t total = 0;
  for (const auto& [key, count] : counts) total += count;
  CHECK(total == values.size());
  for (const double q : {0.25, 0.5, 0.95})
    CHECK(std::log10(quantile_of(counts, total, q)) == Approx(std::log10(exact(values, q))).margin(0.2));
}
