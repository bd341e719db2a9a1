#include "weft/observe/otlp.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/run_task.hpp"

using namespace weft;
using namespace weft::observe;

namespace {

/// A collector whose answers the test gives by hand.
struct ExporterFixture {
  using Answer = Result<io::HttpResponse>;

  OtlpExporter& exporter() {
    if (!exporter_) {
      exporter_ = std::make_unique<OtlpExporter>(
          loop, tracer, settings, random, metrics, log,
          [this](std::string body, Duration timeout) { return post(std::move(body), timeout); });
    }
    return *exporter_;
  }
  Task<Answer> post(std::string body, Duration timeout) {
    bodies.push_back(std::move(body));
    timeouts.push_back(timeout);
    Completion<Answer> completion;
    waiting = completion.completer();
    co_return co_await completion;
  }
  static io::HttpResponse status(int code, std::string body = {}) {
    io::HttpResponse out;
    out.status = code;
    out.body = std::move(body);
    return out;
  }
  void spans(std::size_t n) {
    exporter();
    for (std::size_t i = 0; i < n; ++i) {
      Span span;
      span.context = tracer.start_sampled();
      span.message_id = ++last_id;
      tracer.record(span);
    }
  }
  static std::size_t spans_in(const std::string& body) {
    return (*from_json(body))["resourceSpans"].as_list()[0]["scopeSpans"].as_list()[0]["spans"].as_list().size();
  }
  std::uint64_t dropped(const std::string& reason) {
    return metrics.counter("weft_spans_dropped_total", "", {{"reason", reason}}).value();
  }
  std::uint64_t exported() { return metrics.counter("weft_spans_exported_total", "").value(); }
  std::uint64_t failures() { return metrics.counter("weft_span_export_failures_total", "").value(); }

  test::ManualLoop loop;
  Random random{1};
  Tracer tracer{random};
  Metrics metrics;
  std::vector<std::string> lines;
  Log log{{}, loop.clock(), [this](std::string_view line) { lines.emplace_back(line); }};
  OtlpSettings settings = [] {
    OtlpSettings out;
    out.url = "http://collector/v1/traces";
    out.queue_max = 10;
    out.batch_max = 4;
    return out;
  }();
  std::vector<std::string> bodies;
  std::vector<Duration> timeouts;
  Completion<Answer>::Completer waiting;
  std::uint64_t last_id = 0;
  std::unique_ptr<OtlpExporter> exporter_;
};

const Error kGone(codes::peer_gone, "connection refused");

}  // namespace

TEST_CASE_METHOD(ExporterFixture, "nothing is posted while there is nothing to export") {
  exporter();
  loop.advance(20s);
  CHECK(bodies.empty());
}

TEST_CASE_METHOD(ExporterFixture, "a few spans wait for others, but not for long") {
  spans(3);
  loop.advance(4990ms);
  CHECK(bodies.empty());
  loop.advance(10ms);
  REQUIRE(bodies.size() == 1);
  CHECK(spans_in(bodies[0]) == 3);
  CHECK(timeouts[0] == 10s);
  CHECK(exported() == 0);
  waiting.complete(status(200, "{}"));
  CHECK(exported() == 3);
  loop.advance(20s);
  CHECK(bodies.size() == 1);
}

TEST_CASE_METHOD(ExporterFixture,
                 "a full batch goes at once, one request at a time, and never within the call that filled it") {
  spans(10);
  CHECK(bodies.empty());
  loop.turn();
  REQUIRE(bodies.size() == 1);
  loop.advance(6s);
  CHECK(bodies.size() == 1);
  waiting.complete(status(200));
  REQUIRE(bodies.size() == 2);
  waiting.complete(status(200));
  CHECK(exported() == 8);
  CHECK(bodies.size() == 2);  // the last two wait for others again
  loop.advance(5s);
  REQUIRE(bodies.size() == 3);
  CHECK(spans_in(bodies[2]) == 2);
}

TEST_CASE_METHOD(ExporterFixture, "spans over the limit of the queue are dropped and counted") {
  spans(4);
  loop.turn();
  REQUIRE(bodies.size() == 1);
  spans(12);
  CHECK(dropped("queue_full") == 2);
}

TEST_CASE_METHOD(ExporterFixture, "a request that fails is made again with the same spans, later each time") {
  spans(4);
  loop.turn();
  for (int attempt = 1; attempt < OtlpExporter::kAttemptsMax; ++attempt) {
    CAPTURE(attempt);
    if (attempt == 1) waiting.complete(kGone);
    if (attempt == 2) waiting.complete(status(429));
    if (attempt >= 3) waiting.complete(status(500 + attempt));
    const Duration longest = OtlpExporter::kPause * (1 << (attempt - 1));
    loop.advance(longest / 2 - 20ms);
    CHECK(bodies.size() == static_cast<std::size_t>(attempt));
    loop.advance(longest / 2 + 40ms);
    REQUIRE(bodies.size() == static_cast<std::size_t>(attempt) + 1);
  }
  CHECK(bodies.front() == bodies.back());
  waiting.complete(status(200));
  CHECK(exported() == 4);
  CHECK(failures() == 4);
  CHECK(dropped("retries") == 0);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("connection refused") != std::string::npos);
  CHECK(lines[1].find("exported again") != std::string::npos);
}

TEST_CASE_METHOD(ExporterFixture, "a batch that fails each time is dropped and counted, and the next is tried") {
  spans(4);
  loop.turn();
  for (int attempt = 1; attempt <= OtlpExporter::kAttemptsMax; ++attempt) {
    waiting.complete(kGone);
    loop.advance(31s);
  }
  CHECK(dropped("retries") == 4);
  CHECK(bodies.size() == OtlpExporter::kAttemptsMax);
  spans(1);
  loop.advance(5s);
  CHECK(bodies.size() == OtlpExporter::kAttemptsMax + 1);
}

TEST_CASE_METHOD(ExporterFixture, "a collector that asks for more time gets it, within reason") {
  spans(4);
  loop.turn();
  auto busy = status(503);
  busy.headers["retry-after"] = "7";
  waiting.complete(busy);
  loop.advance(6900ms);
  CHECK(bodies.size() == 1);
  loop.advance(200ms);
  REQUIRE(bodies.size() == 2);
  busy.headers["retry-after"] = "86400";
  waiting.complete(busy);
  loop.advance(OtlpExporter::kPauseMax + 10ms);
  CHECK(bodies.size() == 3);
}

TEST_CASE_METHOD(ExporterFixture, "what the collector refuses is not sent again") {
  spans(4);
  loop.turn();
  waiting.complete(status(400, "bad span"));
  CHECK(dropped("refused") == 4);
  CHECK(lines.at(0).find("bad span") != std::string::npos);
  spans(4);
  loop.turn();
  waiting.complete(status(200, R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}})"));
  CHECK(dropped("refused") == 7);
  CHECK(exported() == 1);
  CHECK(lines.at(1).find("too old") != std::string::npos);
  loop.advance(60s);
  CHECK(bodies.size() == 2);
}

TEST_CASE_METHOD(ExporterFixture, "a strange answer does no harm") {
  for (const auto* body :
       {"no json", "[]", R"({"partialSuccess":7})", R"({"partialSuccess":{"rejectedSpans":"many"}})",
        R"({"partialSuccess":{"rejectedSpans":99}})", R"({"partialSuccess":{"rejectedSpans":-1}})"}) {
    spans(4);
    loop.turn();
    waiting.complete(status(200, body));
  }
  CHECK(exported() == 20);
  CHECK(dropped("refused") == 4);
}

TEST_CASE_METHOD(ExporterFixture, "flush sends all that waits at once, and takes no more") {
  spans(10);
  TaskScope scope;
  bool done = false;
  scope.spawn(exporter().flush(3s), [&](const std::exception_ptr&) { done = true; });
  for (std::size_t batch = 1; batch <= 3; ++batch) {
    REQUIRE(bodies.size() == batch);
    CHECK_FALSE(done);
    waiting.complete(status(200));
  }
  CHECK(done);
  CHECK(exported() == 10);
  CHECK(timeouts[0] == 3s);
  spans(1);
  loop.advance(20s);
  CHECK(bodies.size() == 3);
}

TEST_CASE_METHOD(ExporterFixture, "flush does not wait for a pause, and gives up at the first failure") {
  spans(10);
  loop.turn();
  waiting.complete(kGone);
  REQUIRE(bodies.size() == 1);
  TaskScope scope;
  bool done = false;
  scope.spawn(exporter().flush(3s), [&](const std::exception_ptr&) { done = true; });
  REQUIRE(bodies.size() == 2);
  waiting.complete(kGone);
  CHECK(done);
  CHECK(dropped("shutdown") == 10);
}

TEST_CASE_METHOD(ExporterFixture, "flush ends in time, whatever the collector does") {
  spans(10);
  loop.turn();
  TaskScope scope;
  bool done = false;
  scope.spawn(exporter().flush(3s), [&](const std::exception_ptr&) { done = true; });
  loop.advance(2990ms);
  CHECK_FALSE(done);
  loop.advance(10ms);
  CHECK(done);
  CHECK(dropped("shutdown") == 10);
  CHECK_FALSE(waiting.wanted());
}

TEST_CASE_METHOD(ExporterFixture, "flush of nothing is done at once") {
  TaskScope scope;
  bool done = false;
  scope.spawn(exporter().flush(3s), [&](const std::exception_ptr&) { done = true; });
  CHECK(done);
  CHECK(bodies.empty());
}

TEST_CASE_METHOD(ExporterFixture, "an exporter that goes away takes its requests along") {
  spans(4);
  loop.turn();
  CHECK(waiting.wanted());
  exporter_.reset();
  CHECK_FALSE(waiting.wanted());
  loop.advance(20s);
}

TEST_CASE("a request carries the headers of the settings to their address") {
  io::IoLoop loop;
  test::HttpSink sink;
  OtlpSettings settings;
  settings.url = sink.url("/v1/traces");
  settings.headers = {{"x-tenant", "lab"}};
  CHECK(test::run_task(loop, otlp_post(loop, settings)("{}", 5s))->status == 200);
  const auto sent = sink.requests().at(0);
  CHECK(sent.starts_with("POST /v1/traces HTTP/1.1\r\n"));
  CHECK(sent.find("\r\nx-tenant: lab\r\n") != std::string::npos);
  CHECK(sent.ends_with("\r\n\r\n{}"));
}
