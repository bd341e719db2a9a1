#include "agents/echo/latencies.hpp"
#include "tests/support/catch.hpp"
#include "weft/base/pacer.hpp"

using namespace weft;
using namespace weft::echo;

namespace {
const TimePoint kStart{1h};
}

TEST_CASE("a pacer lets the first through at once, then its rate, then no more") {
  Pacer pacer(10, 12, kStart);
  CHECK(pacer.due(kStart, 100) == 1);
  CHECK(pacer.due(kStart + 99ms, 100) == 0);
  CHECK(pacer.due(kStart + 100ms, 100) == 1);
  CHECK(pacer.due(kStart + 1s, 100) == 9);
  CHECK_FALSE(pacer.finished());
  CHECK(pacer.due(kStart + 1h, 100) == 1);
  CHECK(pacer.finished());
  CHECK(pacer.due(kStart + 2h, 100) == 0);
}

TEST_CASE("a pacer without a rate gives all, but not more at a time than is wanted") {
  Pacer pacer(0, 10, kStart);
  CHECK(pacer.due(kStart, 4) == 4);
  CHECK(pacer.due(kStart, 4) == 4);
  CHECK(pacer.due(kStart, 4) == 2);
  CHECK(pacer.finished());
}

TEST_CASE("a pacer that was late makes up for it, and one of nothing is finished") {
  Pacer pacer(1000, 1000, kStart);
  CHECK(pacer.due(kStart + 500ms, 100) == 100);
  CHECK(pacer.due(kStart + 500ms, 1000) == 401);
  CHECK(Pacer(5, 0, kStart).finished());
}

TEST_CASE("percentiles of nothing, one and many durations") {
  Latencies none;
  CHECK(none.quantile(0.5) == 0);
  CHECK(none.max() == 0);
  Latencies one;
  one.add(1000);
  CHECK(one.quantile(0.5) == 1000);
  CHECK(one.quantile(0.99) == 1000);
  Latencies many;
  for (std::uint64_t us = 1; us <= 100'000; ++us) many.add(us);
  CHECK(many.count() == 100'000);
  CHECK(many.max() == 100'000);
  for (const double q : {0.001, 0.01, 0.5, 0.9, 0.99, 0.999}) {
    CAPTURE(q);
    const double exact = q * 100'000, told = static_cast<double>(many.quantile(q));
    CHECK(told >= exact);
    CHECK(told <= exact * (1 + 1.0 / 64) + 1);
  }
}

TEST_CASE("durations beyond the end are held at it") {
  Latencies latencies;
  latencies.add(0);
  latencies.add(UINT64_MAX);
  CHECK(latencies.quantile(0.5) == 0);
  CHECK(latencies.quantile(1.0) == (std::uint64_t{1} << 36) - 1);
  CHECK(latencies.max() == UINT64_MAX);
}
