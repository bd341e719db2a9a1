#include "weft/observe/otlp_json.hpp"

#include <charconv>

namespace weft::observe {
namespace {

std::string json_quoted(std::string_view text) { return to_json(Value(text)); }

/// Writes into one text; spans come by the hundred.
class JsonWriter {
 public:
  JsonWriter(const Tracer& names, const Clock& clock) : names_(names) {
    const auto wall = std::chrono::duration_cast<Duration>(clock.wall().time_since_epoch());
    to_wall_ = wall - clock.now().time_since_epoch();
  }

  void begin(const Attributes& resource) {
    out_ = R"({"resourceSpans":[{"resource":{"attributes":[)";
    for (const auto& [key, value] : resource) text(json_quoted(key), json_quoted(value));
    out_ += R"(]},"scopeSpans":[{"scope":{"name":"weft","version":")" WEFT_VERSION R"("},"spans":[)";
  }
  void add(const Span& span) {
    if (out_.back() == '}') out_ += ',';
    out_ += R"({"traceId":")" + to_hex(span.context.trace_id) + R"(","spanId":")" + to_hex(span.context.span_id);
    if (span.parent != SpanId{}) out_ += R"(","parentSpanId":")" + to_hex(span.parent);
    out_ += R"(","name":)" + json_quoted(names_.text(span.name)) + R"(,"kind":)" +
            std::to_string(static_cast<int>(span.kind));
    out_ += R"(,"startTimeUnixNano":")" + nanos(span.begin) + R"(","endTimeUnixNano":")" +
            nanos(span.begin + span.duration);
    out_ += R"(","attributes":[)";
    attributes(span);
    out_ += ']';
    if (span.error != 0) out_ += R"(,"status":{"code":2,"message":")" + error_text(span.error) + R"("})";
    out_ += '}';
  }
  std::string end() {
    out_ += "]}]}]}";
    return std::move(out_);
  }

 private:
  std::string nanos(TimePoint when) const { return std::to_string((when.time_since_epoch() + to_wall_).count()); }
  void key(std::string_view quoted_key) {
    if (out_.back() == '}') out_ += ',';
    out_ += R"({"key":)";
    out_ += quoted_key;
  }
  void text(std::string_view quoted_key, std::string_view quoted_value) {
    key(quoted_key);
    out_ += R"(,"value":{"stringValue":)";
    out_ += quoted_value;
    out_ += "}}";
  }
  void number(std::string_view quoted_key, std::int64_t value) {
    key(quoted_key);
    out_ += R"(,"value":{"intValue":")" + std::to_string(value) + R"("}})";
  }
  void microseconds(std::string_view quoted_key, Duration duration) {
    if (duration > Duration())
      number(quoted_key, std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
  }
  void attributes(const Span& span) {
    const bool event = span.kind == SpanKind::producer || span.kind == SpanKind::consumer;
    if (span.kind != SpanKind::internal) text(event ? R"("messaging.system")" : R"("rpc.system")", R"("weft")");
    if (event) text(R"("messaging.destination.name")", json_quoted(names_.text(span.name)));
    if (span.peer != 0) text(R"("weft.peer")", json_quoted(names_.text(span.peer)));
    if (span.note != 0) text(R"("weft.note")", json_quoted(names_.text(span.note)));
    if (span.message_id != 0) text(R"("weft.message_id")", '"' + to_text({span.message_id, span.sender}) + '"');
    if (span.attempt > 1) number(R"("weft.attempt")", span.attempt);
    microseconds(R"("weft.queue_us")", span.queue);
    microseconds(R"("weft.wire_us")", span.wire);
    if (span.error != 0) text(R"("error.type")", '"' + error_text(span.error) + '"');
  }

  const Tracer& names_;
  Duration to_wall_{};
  std::string out_;
};

}  // namespace

std::string otlp_json(std::span<const Span> spans, const Tracer& names, const Attributes& resource,
                      const Clock& clock) {
  JsonWriter writer(names, clock);
  writer.begin(resource);
  for (const auto& span : spans) writer.add(span);
  return writer.end();
}

std::uint64_t rejected_spans(const std::string& answer, std::string& message) {
  if (answer.empty()) return 0;
  const auto read = from_json(answer);
  if (!read) return 0;
  const Value& partial = (*read)["partialSuccess"];
  const Value& rejected = partial["rejectedSpans"];
  if (partial["errorMessage"].is_string()) message = partial["errorMessage"].as_string();
  if (rejected.type() == Value::Type::integer)
    return static_cast<std::uint64_t>(std::max<std::int64_t>(rejected.as_int(), 0));
  std::uint64_t count = 0;  // an int64 is a text in this encoding
  if (rejected.is_string())
    (void)std::from_chars(rejected.as_string().data(), rejected.as_string().data() + rejected.as_string().size(),
                          count);
  return count;
}

}  // namespace weft::observe
