#include <atomic>
#include <thread>

#include "tests/support/catch.hpp"
#include "weft/observe/observe.hpp"

using namespace weft;
using namespace weft::observe;

namespace {
const SpanContext kTrace = *traceparent_from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }
}  // namespace

TEST_CASE("a bucket keeps its last exemplar, and counts as without") {
  Histogram histogram({1, 2});
  histogram.observe(0.5);
  for (std::size_t bucket = 0; bucket < 3; ++bucket) CHECK_FALSE(histogram.exemplar(bucket));
  histogram.observe(1.5, kTrace, wall_from_us(1'000'000));
  histogram.observe(1.25, kTrace, wall_from_us(2'500'000));
  CHECK_FALSE(histogram.exemplar(0));
  CHECK_FALSE(histogram.exemplar(2));
  const auto kept = histogram.exemplar(1);
  REQUIRE(kept);
  CHECK(kept->trace_id == kTrace.trace_id);
  CHECK(kept->span_id == kTrace.span_id);
  CHECK(kept->value == 1.25);
  CHECK(to_us(kept->time) == 2'500'000);
  CHECK(histogram.count(1) == 2);
  CHECK(histogram.sum() == 3.25);
}

TEST_CASE("exemplars are rendered where OpenMetrics is asked for, and only there") {
  Metrics metrics;
  metrics.histogram("weft_a_seconds", "", {0.1, 1}, {{"n", "none"}}).observe(0.5);
  metrics.histogram("weft_a_seconds", "", {0.1, 1}, {{"n", "one"}})
      .observe(0.5, kTrace, wall_from_us(1'700'000'000'123'456));
  CHECK_FALSE(has(metrics.render(Metrics::Format::text), "trace_id"));
  const auto text = metrics.render(Metrics::Format::openmetrics);
  CHECK(has(text, "weft_a_seconds_bucket{n=\"none\",le=\"1.0\"} 1\n"));
  CHECK(has(text, "weft_a_seconds_bucket{n=\"one\",le=\"0.1\"} 0\n"));
  CHECK(has(text,
            "weft_a_seconds_bucket{n=\"one\",le=\"1.0\"} 1 # {trace_id=\"0af7651916cd43dd8448eb211c80319c\","
            "span_id=\"b7ad6b7169203331\"} 0.5 1700000000.123\n"));
  CHECK(has(text, "weft_a_seconds_count{n=\"one\"} 1\n"));
}

TEST_CASE("an exemplar that is read while it is written is one that was written, or none") {
  Histogram histogram({});
  std::atomic<bool> done{false};
  std::thread writer([&] {
    SpanContext trace;
    for (std::uint8_t i = 1; !done; i = static_cast<std::uint8_t>(i % 250 + 1)) {
      trace.trace_id.fill(i);
      trace.span_id.fill(i);
      histogram.observe(i, trace, wall_from_us(i));
    }
  });
  int whole = 0;
  for (int i = 0; i < 100'000 || whole == 0; ++i) {  // the writer may not have begun
    const auto read = histogram.exemplar(0);
    if (!read) continue;
    ++whole;
    const auto id = static_cast<std::uint8_t>(read->value);
    TraceId expected;
    expected.fill(id);
    if (read->trace_id != expected || read->span_id[0] != id || to_us(read->time) != id) FAIL("a torn exemplar");
  }
  done = true;
  writer.join();
  CHECK(whole > 0);
}
