#include <filesystem>
#include <limits>

#include "tests/support/catch.hpp"
#include "weft/observe/observe.hpp"
#include "weft/observe/openmetrics.hpp"

using namespace weft;
using namespace weft::observe;

namespace {
constexpr auto kText = Metrics::Format::text;
constexpr auto kOpen = Metrics::Format::openmetrics;
bool has(const std::string& all, const std::string& part) { return all.find(part) != std::string::npos; }
}  // namespace

TEST_CASE("nothing is rendered as nothing") {
  Metrics metrics;
  CHECK(metrics.render(kText).empty());
  CHECK(metrics.render(kOpen) == "# EOF\n");
}

TEST_CASE("counters, gauges and histograms are rendered in order, the same each time") {
  Metrics metrics;
  metrics.gauge("weft_b", "A gauge.").set(1.5);
  metrics.counter("weft_a_total", "A counter.", {{"code", "x"}, {"agent", "y"}}).add(2);
  metrics.counter("weft_a_total", "A counter.", {{"agent", "a\"\\\n"}, {"code", "x"}}).add();
  auto& histogram = metrics.histogram("weft_c_seconds", "A histogram.", {0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.observe(value);

  const auto text = metrics.render(kText);
  CHECK(text == metrics.render(kText));
  CHECK(
      text ==
      "# HELP weft_a_total A counter.\n# TYPE weft_a_total counter\n"
      "weft_a_total{agent=\"a\\\"\\\\\\n\",code=\"x\"} 1\nweft_a_total{agent=\"y\",code=\"x\"} 2\n"
      "# HELP weft_b A gauge.\n# TYPE weft_b gauge\nweft_b 1.5\n"
      "# HELP weft_c_seconds A histogram.\n# TYPE weft_c_seconds histogram\n"
      "weft_c_seconds_count 4\nweft_c_seconds_sum 7.65\n"
      "weft_c_seconds_bucket{le=\"0.1\"} 2\nweft_c_seconds_bucket{le=\"1\"} 3\nweft_c_seconds_bucket{le=\"+Inf\"} 4\n");
  CHECK(
      metrics.render(kOpen) ==
      "# TYPE weft_a counter\n# HELP weft_a A counter.\n"
      "weft_a_total{agent=\"a\\\"\\\\\\n\",code=\"x\"} 1\nweft_a_total{agent=\"y\",code=\"x\"} 2\n"
      "# TYPE weft_b gauge\n# HELP weft_b A gauge.\nweft_b 1.5\n"
      "# TYPE weft_c_seconds histogram\n# HELP weft_c_seconds A histogram.\n"
      "weft_c_seconds_bucket{le=\"0.1\"} 2\nweft_c_seconds_bucket{le=\"1.0\"} 3\nweft_c_seconds_bucket{le=\"+Inf\"} 4\n"
      "weft_c_seconds_count 4\nweft_c_seconds_sum 7.65\n# EOF\n");
}

TEST_CASE("a cell keeps its address and its value while others come") {
  Metrics metrics;
  auto& first = metrics.counter("weft_a_total", "", {{"n", "0"}});
  for (int i = 1; i < 500; ++i) metrics.counter("weft_a_total", "", {{"n", std::to_string(i)}}).add();
  first.add(7);
  CHECK(&metrics.counter("weft_a_total", "", {{"n", "0"}}) == &first);
  CHECK(has(metrics.render(kText), "weft_a_total{n=\"0\"} 7\n"));
}

TEST_CASE("series over the limit share one that says so, and are counted") {
  Metrics metrics(2);
  for (const auto* path : {"a", "b", "c", "d", "a"}) metrics.counter("weft_hits_total", "", {{"path", path}}).add();
  const auto text = metrics.render(kText);
  CHECK(has(text, "weft_hits_total{path=\"a\"} 2\n"));
  CHECK(has(text, "weft_hits_total{path=\"_overflow\"} 2\n"));
  CHECK_FALSE(has(text, "path=\"c\""));
  CHECK(has(text, "weft_series_overflow_total{metric=\"weft_hits_total\"} 2\n"));
  metrics.gauge("weft_other", "", {{"path", "c"}}).set(1);
  CHECK(has(metrics.render(kText), "weft_other{path=\"c\"} 1\n"));
}

TEST_CASE("what is cheaper to read than to keep is read before each rendering") {
  Metrics metrics;
  int scrapes = 0;
  auto& seconds = metrics.mirrored_counter("weft_busy_seconds_total", "");
  metrics.on_collect([&] { seconds.set(0.5 * ++scrapes); });
  CHECK(has(metrics.render(kText), "weft_busy_seconds_total 0.5\n"));
  CHECK(has(metrics.render(kOpen), "# TYPE weft_busy_seconds counter\n"));
}

TEST_CASE("a gauge that was removed is not shown, and may come back") {
  Metrics metrics;
  metrics.gauge("weft_thing_info", "", {{"b", "2"}, {"a", "1"}}).set(1);
  metrics.gauge("weft_thing_info", "", {{"a", "1"}, {"b", "3"}}).set(1);
  metrics.remove_gauge("weft_thing_info", {{"a", "1"}, {"b", "2"}});
  metrics.remove_gauge("weft_thing_info", {{"a", "none"}});
  metrics.remove_gauge("weft_unknown", {});
  CHECK_FALSE(has(metrics.render(kText), "b=\"2\""));
  CHECK(has(metrics.render(kText), "b=\"3\""));
  metrics.gauge("weft_thing_info", "", {{"a", "1"}, {"b", "2"}}).set(1);
  CHECK(has(metrics.render(kOpen), "weft_thing_info{a=\"1\",b=\"2\"} 1\n"));
}

TEST_CASE("a misuse is a bug that throws") {
  Metrics metrics;
  metrics.gauge("weft_a", "");
  CHECK_THROWS_AS(metrics.histogram("weft_a", "", {1}), std::logic_error);
  CHECK_THROWS_AS(metrics.counter("weft_count", ""), std::logic_error);
  CHECK_THROWS_AS(metrics.gauge("0a", ""), std::logic_error);
  CHECK_THROWS_AS(metrics.gauge("weft_b", "", {{"a-b", ""}}), std::logic_error);
  CHECK_THROWS_AS(metrics.histogram("weft_c", "", {2, 1}), std::logic_error);
}

TEST_CASE("values that are no plain numbers have their names") {
  Metrics metrics;
  metrics.gauge("weft_a", "").set(std::numeric_limits<double>::quiet_NaN());
  metrics.gauge("weft_b", "").set(-std::numeric_limits<double>::infinity());
  metrics.gauge("weft_x_info", "").set(1);
  const auto text = metrics.render(kOpen);
  CHECK(has(text, "weft_a NaN\n"));
  CHECK(has(text, "weft_b -Inf\n"));
  CHECK(has(text, "# TYPE weft_x info\n"));
}

TEST_CASE("a process tells its memory, descriptors, time and build") {
  Metrics metrics;
  add_process_metrics(metrics, "1.2.3");
  metrics.render(kText);
  CHECK(metrics.gauge("process_resident_memory_bytes", "").value() > 1e6);
  CHECK(metrics.gauge("process_open_fds", "").value() >= 3);
  const std::filesystem::directory_iterator threads("/proc/self/task");  // more than one under thread sanitizer
  CHECK(metrics.gauge("process_threads", "").value() == static_cast<double>(std::distance(begin(threads), {})));
  const auto now = static_cast<double>(to_us(SystemClock().wall())) * 1e-6;
  CHECK(metrics.gauge("process_start_time_seconds", "").value() == Approx(now).margin(60));
  CHECK(metrics.mirrored_counter("process_cpu_seconds_total", "").value() > 0);
  CHECK(has(metrics.render(kText), "version=\"1.2.3\""));
}

TEST_CASE("who asks for OpenMetrics gets it, and nobody else") {
  CHECK(wants_openmetrics("application/openmetrics-text; version=1.0.0"));
  CHECK(
      wants_openmetrics("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  for (const auto* accept : {"", "*/*", "text/plain", "application/openmetrics-text;version=2.0.0",
                             "application/openmetrics-text;q=0", "text/plain, application/openmetrics-text;q=0.5"})
    CHECK_FALSE(wants_openmetrics(accept));
}
