#include "agents/digest/window.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::digest;

namespace {
const TimePoint kStart{std::chrono::hours(1)};
}

TEST_CASE("a window of nothing has no figures") {
  CHECK(ExactWindow(1min).figures(kStart).count == 0);
  CHECK(BucketWindow(10s, 30).figures(kStart).count == 0);
  CHECK(Series().figures(Span::hour, kStart).max == 0);
}

TEST_CASE("the last minute is exact") {
  Series series;
  for (int i = 1; i <= 60; ++i) series.add(i, kStart + i * 1s);
  const auto figures = series.figures(Span::minute, kStart + 60s);
  CHECK(figures.count == 60);
  CHECK(figures.min == 1);
  CHECK(figures.mean == Approx(30.5));
  CHECK(figures.p50 == 30);
  CHECK(figures.p95 == 57);
  CHECK(figures.max == 60);
}

TEST_CASE("a value leaves the exact window when the span has passed, not before") {
  ExactWindow window(1min);
  window.add(5, kStart);
  CHECK(window.figures(kStart + 1min - 1ns).count == 1);
  CHECK(window.figures(kStart + 1min).count == 0);
}

TEST_CASE("the exact window holds a bounded number of values") {
  ExactWindow window(1min);
  for (int i = 0; i < 5000; ++i) window.add(i, kStart + i * 1ms);
  const auto figures = window.figures(kStart + 5s);
  CHECK(figures.count == ExactWindow::kSamplesMax);
  CHECK(figures.max == 4999);
}

TEST_CASE("a bucket window counts exactly and moves on by buckets") {
  BucketWindow window(10s, 30);
  for (int i = 0; i < 600; ++i) window.add(i, kStart + i * 1s);
  const auto figures = window.figures(kStart + 599s);
  CHECK(figures.count == 300);
  CHECK(figures.min == 300);
  CHECK(figures.max == 599);
  CHECK(figures.mean == Approx(449.5));
  CHECK(figures.p50 == Approx(449).epsilon(kSketchError));
  CHECK(figures.p95 == Approx(584).epsilon(kSketchError));
  CHECK(window.figures(kStart + 600s).count == 290);
  CHECK(window.figures(kStart + 600s + 290s).count == 0);
}

TEST_CASE("quantiles never leave the range of what was seen") {
  BucketWindow window(1min, 60);
  window.add(0.1, kStart);
  const auto figures = window.figures(kStart);
  CHECK(figures.p50 == 0.1);
  CHECK(figures.p95 == 0.1);
}

TEST_CASE("an hour of silence empties every window") {
  Series series;
  series.add(1, kStart);
  for (const auto span : {Span::minute, Span::five_minutes, Span::hour}) {
    CHECK(series.figures(span, kStart).count == 1);
    CHECK(series.figures(span, kStart + 61min).count == 0);
  }
}

TEST_CASE("windows are named by their length") {
  for (const auto span : {Span::minute, Span::five_minutes, Span::hour})
    CHECK(from_text(to_string(span), std::type_identity<Span>{}) == span);
  CHECK(from_text("2m", std::type_identity<Span>{}).error().message == "window '2m': wanted 1m, 5m or 1h");
}
