#include "weft/peer/tracing.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "weft/events/consumer_span.hpp"
#include "weft/peer/spans.hpp"
#include "weft/policy/balancer.hpp"

using namespace weft;
using namespace weft::peer;
using calls::Call, calls::CallOptions, calls::Incoming, calls::Interceptors, calls::Outgoing;
using events::ConsumerSpan, events::Event;
using observe::SpanKind;
using policy::WhyChosen;
using wire::InstanceRecord, wire::MethodInfo, wire::Payload;

namespace {

struct TracingFixture {
  Outgoing outgoing(const std::string& target, const InstanceRecord* instance = nullptr) {
    return Outgoing{.target = target,
                    .target_id = 3,
                    .endpoint = "tcp://10.0.0.1:7",
                    .instance = instance,
                    .options = options,
                    .header = header,
                    .begin = loop.now(),
                    .deadline = loop.now() + 5s};
  }
  void make(observe::Sampling sampling) {
    tracer = std::make_unique<observe::Tracer>(seed, sampling);
    tracing = std::make_unique<Tracing>(*tracer, loop, "digest");
    chain = std::make_unique<Interceptors>();
    chain->add(tracing->interceptor());
  }
  /// Out and back in `took`.
  observe::Span call(const std::string& target, Result<Payload> outcome = Payload(),
                     const InstanceRecord* instance = nullptr) {
    auto call = outgoing(target, instance);
    call.attempt = 2;
    REQUIRE(chain->before(call, ran));
    call.header.id = 77;
    call.header.sender = 0xab;
    call.why_chosen = why_chosen;
    call.candidates = candidates;
    loop.time().advance(3ms);
    call.end = loop.now();
    chain->after(call, outcome, ran);
    return last(header.trace);
  }
  observe::Span last(const TraceContext& trace) {
    const auto spans = tracer->of_trace(trace.trace_id);
    REQUIRE_FALSE(spans.empty());
    return spans.back();
  }
  test::ManualLoop loop;
  Random seed{1};
  CallOptions options;
  wire::Header header;
  std::unique_ptr<observe::Tracer> tracer;
  std::unique_ptr<Tracing> tracing;
  std::unique_ptr<Interceptors> chain;
  std::size_t ran = 0;
  WhyChosen why_chosen = WhyChosen::none;
  std::uint32_t candidates = 0;
};

}  // namespace

TEST_CASE_METHOD(TracingFixture, "a call begins a trace, which goes out in its header, and leaves a span") {
  make({true, 1});
  const auto span = call("digest.summary");
  CHECK(header.trace == span.context);
  CHECK(span.context.sampled());
  CHECK(span.parent == observe::SpanId{});
  CHECK(span.kind == SpanKind::client);
  CHECK(span.duration == 3ms);
  CHECK(span.message_id == 77);
  CHECK(span.attempt == 2);
  CHECK(span.error == 0);
  CHECK(tracer->text(span.name) == "digest.summary");
  CHECK(tracer->text(span.peer) == "tcp://10.0.0.1:7");
}

TEST_CASE_METHOD(TracingFixture, "a call on behalf of another goes on with its trace, sampled or not") {
  make({true, 1});
  header.trace = *observe::traceparent_from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00");
  const auto parent = header.trace;
  const auto span = call("digest.summary");
  CHECK(header.trace.trace_id == parent.trace_id);
  CHECK(header.trace.span_id != parent.span_id);
  CHECK(span.parent == parent.span_id);
  CHECK_FALSE(span.context.sampled());
}

TEST_CASE_METHOD(TracingFixture, "who was called is told by name, also when another record lies in its place") {
  make({true, 1});
  InstanceRecord record;
  record.agent = "digest";
  record.host = "alpha";
  record.instance = *Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  CHECK(tracer->text(call("digest.summary", Payload(), &record).peer) == "digest@alpha");
  record.host = "beta";
  record.instance = *Ulid::parse("01ARZ3NDEKTSV4RRFFQ69G5FAW");
  CHECK(tracer->text(call("digest.summary", Payload(), &record).peer) == "digest@beta");
}

TEST_CASE_METHOD(TracingFixture, "a call that was steered tells why its instance was taken, and among how many") {
  make({true, 0});
  why_chosen = WhyChosen::hash;
  candidates = 3;
  const auto span = call("digest.summary");
  CHECK(tracer->text(span.note) == "the hash of the call's key");
  CHECK(span.candidates == 3);
  CHECK(span.sender == 0xab);
}

TEST_CASE_METHOD(TracingFixture,
                 "what no handler got is found by its message, and below its caller where that is known") {
  make({true, 0});
  const observe::MessageId message{9, 0xcd};
  observe::record_unhandled(tracer.get(), loop, SpanKind::consumer, "host.alpha.metrics", message, {},
                            codes::message_expired.id, "dropped: expired");
  const auto caller = tracer->start({});
  observe::record_unhandled(tracer.get(), loop, SpanKind::server, "digest.summary", message, caller,
                            codes::deadline_exceeded.id, "its time was over when it came");
  observe::record_unhandled(nullptr, loop, SpanKind::server, "digest.summary", message, {}, codes::draining.id, "");
  const auto spans = tracer->of_message(9, 0xcd);
  REQUIRE(spans.size() == 2);
  CHECK_FALSE(spans[0].context.has_trace());
  CHECK(spans[0].error == 6006);
  CHECK(tracer->text(spans[0].note) == "dropped: expired");
  CHECK(spans[1].parent == caller.span_id);
  CHECK(spans[1].context.trace_id == caller.trace_id);
}

TEST_CASE_METHOD(TracingFixture, "a failed call has the number of its code") {
  make({true, 0});
  CHECK(call("a.b", Error(codes::deadline_exceeded, "late")).error == 2006);
  CHECK(call("a.b", Error(ErrorKind::internal, "PAINT", "wet")).error == observe::kOwnError);
}

TEST_CASE_METHOD(TracingFixture, "what keeps house begins no trace that is exported, and goes on with one that is") {
  make({true, 1});
  for (const auto* target : {"registry.renew", "errorbus.report", "digest._spans"}) {
    header.trace = {};
    CHECK_FALSE(call(target).context.sampled());
  }
  header.trace = {};
  CHECK(call("digest.summary").context.sampled());
  CHECK(call("registry.snapshot").context.sampled());  // below the one before
}

TEST_CASE_METHOD(TracingFixture, "a handler's span lies below its caller's, and what it calls below its own") {
  make({true, 1});
  Call incoming;
  MethodInfo method{"summary", "", "call"};
  TraceContext trace = *observe::traceparent_from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const auto caller = trace;
  Incoming call{.call = incoming, .method = method, .method_id = 1, .queued = 2ms, .begin = loop.now(), .trace = trace};
  REQUIRE(chain->before(call, ran));
  CHECK(trace.trace_id == caller.trace_id);
  CHECK(trace.span_id != caller.span_id);
  loop.time().advance(1ms);
  incoming.set_begun(loop.now());
  loop.time().advance(4ms);
  chain->after(call, Payload(), ran);
  const auto span = last(trace);
  CHECK(span.parent == caller.span_id);
  CHECK(trace == span.context);
  CHECK(span.kind == SpanKind::server);
  CHECK(tracer->text(span.name) == "digest.summary");
  CHECK(span.duration == 5ms);  // sampled: the clock was read, whatever `end` said
  CHECK(span.queue == 1ms);
  CHECK(span.wire == 2ms);
}

TEST_CASE_METHOD(TracingFixture,
                 "an event leaves a span where it is published and where it is handled, one below the other") {
  make({true, 0});
  const auto caller = tracer->start_sampled();
  auto producer = tracing->publication("host.alpha.metrics", caller);
  loop.time().advance(1ms);
  tracing->published(producer, true);
  CHECK(last(caller).duration == 1ms);
  CHECK(producer.parent == caller.span_id);
  CHECK(producer.kind == SpanKind::producer);

  const Payload payload;
  Event event{"host.alpha.metrics", payload, 5, 1, 0, producer.context};
  auto consumer = ConsumerSpan::of(event, loop, tracer.get());
  REQUIRE(consumer);
  loop.time().advance(2ms);
  consumer->begin_handler();
  loop.time().advance(3ms);
  consumer->end(true);
  CHECK(last(caller).kind == SpanKind::producer);  // recorded on the loop, later
  loop.turn();
  const auto span = last(caller);
  CHECK(span.kind == SpanKind::consumer);
  CHECK(span.parent == producer.context.span_id);
  CHECK(span.context == consumer->trace());
  CHECK(tracer->text(span.name) == "host.alpha.metrics");
  CHECK(span.queue == 2ms);
  CHECK(span.duration == 5ms);
  CHECK(span.message_id == 5);
  CHECK(span.error == 2008);
}

TEST_CASE_METHOD(TracingFixture, "an event that is not sampled, or comes where nobody keeps spans, makes none") {
  make({true, 0});
  const Payload payload;
  const Event plain{"a.b", payload, 5, 1, 0, tracer->start({})};
  CHECK_FALSE(ConsumerSpan::of(plain, loop, tracer.get()));
  const Event sampled{"a.b", payload, 5, 1, 0, tracer->start_sampled()};
  CHECK_FALSE(ConsumerSpan::of(sampled, loop, nullptr));
  auto refused = tracing->publication("a.b", sampled.trace);
  tracing->published(refused, Error(codes::too_large, ""));
  CHECK(last(sampled.trace).error == 1003);
}

TEST_CASE_METHOD(TracingFixture, "what a process tells of its spans is all that was asked for, with the time of day") {
  make({true, 1});
  const auto begin = to_us(loop.clock().wall());
  const auto span = call("digest.summary", Error(codes::peer_gone, ""));
  SpansRequest request;
  request.trace_id = observe::to_hex(span.context.trace_id);
  const auto reply = spans_of(*tracer, loop.clock(), request);
  REQUIRE(reply);
  REQUIRE(reply->spans.size() == 1);
  const auto& info = reply->spans[0];
  CHECK(info.trace_id == request.trace_id);
  CHECK(info.span_id == observe::to_hex(span.context.span_id));
  CHECK(info.parent_id.empty());
  CHECK(info.kind == "client");
  CHECK(info.error == "WEFT-2007");
  CHECK(info.begin_us == begin);
  CHECK(info.duration_ns == 3'000'000);
  CHECK(info.message == "00000000000000ab-77");
  SpansRequest by_message;
  by_message.message_id = 77;
  CHECK(spans_of(*tracer, loop.clock(), by_message)->spans.size() == 1);
  by_message.sender = "00000000000000ab";
  CHECK(spans_of(*tracer, loop.clock(), by_message)->spans.size() == 1);
  by_message.sender = "00000000000000ac";
  CHECK(spans_of(*tracer, loop.clock(), by_message)->spans.empty());
  by_message.sender = "ab";
  CHECK(spans_of(*tracer, loop.clock(), by_message).error().is(codes::bad_value));
  SpansRequest wrong;
  wrong.trace_id = "xyz";
  CHECK(spans_of(*tracer, loop.clock(), wrong).error().is(codes::bad_value));
}

TEST_CASE_METHOD(TracingFixture, "an answer has the newest spans, and says how many are left out") {
  make({true, 1});
  observe::Span span;
  span.context = tracer->start({});
  for (std::uint64_t i = 1; i <= SpansRequest::kSpansMax + 5; ++i) {
    span.message_id = i;
    tracer->record(span);
  }
  SpansRequest request;
  request.trace_id = observe::to_hex(span.context.trace_id);
  const auto reply = spans_of(*tracer, loop.clock(), request);
  CHECK(reply->spans.size() == SpansRequest::kSpansMax);
  CHECK(reply->more == 5);
  CHECK(reply->spans.front().message_id == 6);
}

TEST_CASE("a latency of a sampled trace is an exemplar, another is not") {
  ManualClock clock;
  observe::Histogram histogram({1});
  TraceContext trace;
  trace.trace_id.fill(1);
  observe_duration(histogram, 500ms, trace, clock);
  CHECK_FALSE(histogram.exemplar(0));
  trace.flags = 1;
  observe_duration(histogram, 250ms, trace, clock);
  REQUIRE(histogram.exemplar(0));
  CHECK(histogram.exemplar(0)->value == 0.25);
  CHECK(histogram.exemplar(0)->trace_id == trace.trace_id);
  CHECK(histogram.count(0) == 2);
}
