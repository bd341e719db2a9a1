#include "weft/observe/otlp_json.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::observe;

namespace {

struct JsonFixture {
  Value document(const std::vector<Span>& spans, const Attributes& resource = {}) {
    auto read = from_json(otlp_json(spans, tracer, resource, clock));
    REQUIRE(read);
    return std::move(*read);
  }
  Value span(const Span& one) {
    return document({one})["resourceSpans"].as_list()[0]["scopeSpans"].as_list()[0]["spans"].as_list().at(0);
  }
  /// The value of an attribute, or null.
  static Value attribute(const Value& of, std::string_view key) {
    for (const auto& one : of["attributes"].as_list()) {
      if (one["key"].is(key)) return one["value"];
    }
    return {};
  }
  Span sample() {
    Span out;
    out.context = *traceparent_from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    out.parent = traceparent_from("00-0af7651916cd43dd8448eb211c80319c-00000000000000ff-01")->span_id;
    out.kind = SpanKind::client;
    out.name = tracer.name("digest.summary");
    out.peer = tracer.name("digest@alpha");
    out.begin = clock.now() - 2ms;
    out.duration = 1'500'001ns;
    out.wire = 250us;
    out.message_id = 18'446'744'073'709'551'615U;
    out.attempt = 2;
    return out;
  }
  Random seed{1};
  Tracer tracer{seed};
  ManualClock clock;
};

}  // namespace

TEST_CASE_METHOD(JsonFixture, "a request holds resource, scope and spans as OTLP nests them") {
  const auto all = document({sample(), sample()}, {{"service.name", "digest"}, {"b\"", "\\"}});
  REQUIRE(all["resourceSpans"].as_list().size() == 1);
  const auto& one = all["resourceSpans"].as_list()[0];
  CHECK(attribute(one["resource"], "service.name")["stringValue"] == Value("digest"));
  CHECK(attribute(one["resource"], "b\"")["stringValue"] == Value("\\"));
  REQUIRE(one["scopeSpans"].as_list().size() == 1);
  CHECK(one["scopeSpans"].as_list()[0]["scope"]["name"] == Value("weft"));
  CHECK(one["scopeSpans"].as_list()[0]["spans"].as_list().size() == 2);
  CHECK(document({})["resourceSpans"].as_list()[0]["scopeSpans"].as_list()[0]["spans"].as_list().empty());
}

TEST_CASE_METHOD(JsonFixture, "ids are hex, times are nanoseconds of the day as text, the kind is a number") {
  const auto one = span(sample());
  CHECK(one["traceId"] == Value("0af7651916cd43dd8448eb211c80319c"));
  CHECK(one["spanId"] == Value("b7ad6b7169203331"));
  CHECK(one["parentSpanId"] == Value("00000000000000ff"));
  CHECK(one["name"] == Value("digest.summary"));
  CHECK(one["kind"] == Value(3));
  CHECK(one["startTimeUnixNano"] == Value("1699999999998000000"));
  CHECK(one["endTimeUnixNano"] == Value("1699999999999500001"));
  CHECK(attribute(one, "rpc.system")["stringValue"] == Value("weft"));
  CHECK(attribute(one, "weft.peer")["stringValue"] == Value("digest@alpha"));
  CHECK(attribute(one, "weft.message_id")["stringValue"] == Value("18446744073709551615"));
  CHECK(attribute(one, "weft.attempt")["intValue"] == Value("2"));
  CHECK(attribute(one, "weft.wire_us")["intValue"] == Value("250"));
  CHECK(attribute(one, "weft.queue_us").is_null());
}

TEST_CASE_METHOD(JsonFixture, "every kind has its number, and events name where they went") {
  const std::pair<SpanKind, int> kinds[] = {{SpanKind::internal, 1},
                                            {SpanKind::server, 2},
                                            {SpanKind::client, 3},
                                            {SpanKind::producer, 4},
                                            {SpanKind::consumer, 5}};
  for (const auto& [kind, number] : kinds) {
    auto one = sample();
    one.kind = kind;
    const auto json = span(one);
    CHECK(json["kind"] == Value(number));
    CHECK(attribute(json, "messaging.destination.name").is_null() == (number < 4));
  }
}

TEST_CASE_METHOD(JsonFixture, "a failed span has status 2 and its code; a fine one has no status") {
  auto one = sample();
  CHECK(span(one)["status"].is_null());
  one.error = 2006;
  CHECK(span(one)["status"]["code"] == Value(2));
  CHECK(span(one)["status"]["message"] == Value("WEFT-2006"));
  CHECK(attribute(span(one), "error.type")["stringValue"] == Value("WEFT-2006"));
}

TEST_CASE_METHOD(JsonFixture, "a root has no parent, and a name from the wire breaks nothing") {
  Span root;
  root.context = tracer.start({});
  root.name = tracer.name("\"\\\n\xff name");
  const auto one = span(root);
  CHECK(one["parentSpanId"].is_null());
  CHECK(one["name"] == Value("\"\\?? name"));
  CHECK(one["attributes"].as_list().empty());
}
