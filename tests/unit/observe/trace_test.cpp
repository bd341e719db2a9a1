#include <set>

#include "tests/support/catch.hpp"
#include "weft/observe/trace.hpp"

using namespace weft;
using namespace weft::observe;

namespace {

struct Taken final : SpanSink {
  void take(const Span& span) noexcept override { ids.push_back(span.message_id); }
  std::vector<std::uint64_t> ids;
};

struct TracerFixture {
  Span span(const SpanContext& context, std::uint64_t id, std::uint16_t error = 0) const {
    Span out;
    out.context = context;
    out.message_id = id;
    out.error = error;
    return out;
  }
  Random seed{7};
  Taken sink;
};

std::vector<std::uint64_t> ids(const std::vector<Span>& spans) {
  std::vector<std::uint64_t> out;
  for (const auto& span : spans) out.push_back(span.message_id);
  return out;
}
using Ids = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE_METHOD(TracerFixture, "a trace begins with ids of its own, and goes on with its id and a new span") {
  Tracer tracer(seed, {true, 1});
  const auto root = tracer.start({});
  CHECK(root.has_trace());
  CHECK(root.sampled());
  const auto child = tracer.start(root);
  CHECK(child.trace_id == root.trace_id);
  CHECK(child.span_id != root.span_id);
  CHECK(tracer.start({}).trace_id != root.trace_id);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(to_hex(tracer.start({}).span_id));
  CHECK(seen.size() == 10'000);
}

TEST_CASE_METHOD(TracerFixture, "two processes do not begin the same traces") {
  Random other(8);
  CHECK(Tracer(seed).start({}).trace_id != Tracer(other).start({}).trace_id);
}

TEST_CASE_METHOD(TracerFixture, "the ratio decides where a trace begins, and the parent where it goes on") {
  Tracer some(seed, {true, 0.25});
  int sampled = 0;
  for (int i = 0; i < 20'000; ++i) sampled += some.start({}).sampled() ? 1 : 0;
  CHECK(sampled == Approx(5000).margin(300));

  Tracer none(seed, {true, 0}), all(seed, {true, 1});
  const auto yes = all.start({}), no = none.start({});
  CHECK_FALSE(no.sampled());
  CHECK(none.start(yes).sampled());
  CHECK_FALSE(all.start(no).sampled());
  CHECK(none.start_sampled().sampled());
}

TEST_CASE_METHOD(TracerFixture, "without regard to the parent the trace id decides, alike in every process") {
  Tracer one(seed, {false, 0.5}), other(seed, {false, 0.5}), never(seed, {false, 0});
  for (int i = 0; i < 1000; ++i) {
    const auto root = one.start({});
    CHECK(other.start(root).sampled() == root.sampled());
    CHECK_FALSE(never.start(root).sampled());
  }
}

TEST_CASE_METHOD(TracerFixture, "spans are found by trace and by message, oldest first, until the ring comes round") {
  Tracer tracer(seed, {}, 4);
  CHECK(tracer.of_message(0).empty());
  const auto a = tracer.start({}), b = tracer.start({});
  CHECK(tracer.of_trace(a.trace_id).empty());
  for (std::uint64_t i = 1; i <= 4; ++i) tracer.record(span(i % 2 ? a : b, i));
  CHECK(ids(tracer.of_trace(a.trace_id)) == Ids{1, 3});
  CHECK(ids(tracer.of_trace(b.trace_id)) == Ids{2, 4});
  CHECK(ids(tracer.of_message(1)) == Ids{1});
  tracer.record(span(a, 5));
  tracer.record(span(a, 2));
  CHECK(ids(tracer.of_trace(a.trace_id)) == Ids{3, 5, 2});
  CHECK(ids(tracer.of_trace(b.trace_id)) == Ids{4});
  CHECK(tracer.of_message(1).empty());
  CHECK(ids(tracer.of_message(2)) == Ids{2});
  CHECK(tracer.recorded() == 6);
}

TEST_CASE_METHOD(TracerFixture,
                 "what failed is remembered when good spans have long gone round, once each, oldest first") {
  Tracer tracer(seed, {}, 4);
  const auto trace = tracer.start({});
  for (std::uint64_t i = 1; i <= 20; ++i) tracer.record(span(trace, i, i % 6 == 0 ? 2006 : 0));
  CHECK(ids(tracer.of_trace(trace.trace_id)) == Ids{6, 12, 17, 18, 19, 20});
  CHECK(ids(tracer.of_message(6)) == Ids{6});
  CHECK(ids(tracer.of_message(18)) == Ids{18});
  CHECK(tracer.of_message(7).empty());
  for (std::uint64_t i = 0; i < Tracer::kFailuresMax; ++i) tracer.record(span(trace, 100, 2006));
  CHECK(tracer.of_message(6).empty());
  CHECK(tracer.of_message(100).size() == Tracer::kFailuresMax);
}

TEST_CASE_METHOD(TracerFixture, "messages with one number are told apart by who sent them") {
  Tracer tracer(seed);
  auto first = span(tracer.start({}), 9), second = first;
  first.sender = 0xa;
  second.sender = 0xb;
  tracer.record(first);
  tracer.record(second);
  CHECK(tracer.of_message(9).size() == 2);
  REQUIRE(tracer.of_message(9, 0xb).size() == 1);
  CHECK(tracer.of_message(9, 0xb)[0].sender == 0xb);
  CHECK(tracer.of_message(9, 0xc).empty());
}

TEST_CASE_METHOD(TracerFixture, "whatever is recorded, the ring finds what its last spans are") {
  Tracer tracer(seed, {}, 64);
  Random random(3);
  std::vector<SpanContext> traces;
  for (int i = 0; i < 10; ++i) traces.push_back(tracer.start({}));
  std::vector<std::size_t> model;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    model.push_back(random.below(traces.size()));
    tracer.record(span(traces[model.back()], i));
    const auto which = random.below(traces.size());
    Ids expected;
    for (std::size_t k = i < 64 ? 0 : i - 63; k <= i; ++k) {
      if (model[k] == which) expected.push_back(k);
    }
    REQUIRE(ids(tracer.of_trace(traces[which].trace_id)) == expected);
  }
}

TEST_CASE_METHOD(TracerFixture, "only sampled spans go to who exports") {
  Tracer tracer(seed, {true, 0});
  tracer.record(span(tracer.start_sampled(), 1));
  tracer.export_to(&sink);
  tracer.record(span(tracer.start({}), 2));
  tracer.record(span({}, 3, 2003));
  CHECK(sink.ids.empty());
  tracer.record(span(tracer.start_sampled(), 4));
  tracer.export_to(nullptr);
  tracer.record(span(tracer.start_sampled(), 5));
  CHECK(sink.ids == Ids{4});
}

TEST_CASE_METHOD(TracerFixture,
                 "a failure brings its whole trace, what was before it and what comes after, once each") {
  Tracer tracer(seed, {true, 0}, 8);
  tracer.export_to(&sink);
  const auto failing = tracer.start({}), fine = tracer.start({});
  for (std::uint64_t i = 1; i <= 7; ++i) tracer.record(span(i % 2 ? failing : fine, i));
  CHECK(sink.ids.empty());
  tracer.record(span(failing, 8, 2006));
  CHECK(sink.ids == Ids{8, 7, 5, 3, 1});
  tracer.record(span(failing, 9, 2006));
  tracer.record(span(fine, 10));
  tracer.record(span(failing, 11));
  CHECK(sink.ids == Ids{8, 7, 5, 3, 1, 9, 11});
}

TEST_CASE_METHOD(TracerFixture, "names have numbers, up to a limit and a length") {
  Tracer tracer(seed);
  CHECK(tracer.name("") == 0);
  const auto name = tracer.name("digest.summary");
  CHECK(tracer.name("digest.summary") == name);
  CHECK(tracer.text(name) == "digest.summary");
  CHECK(tracer.text(tracer.name(std::string(1000, 'x'))) == std::string(Tracer::kNameBytesMax, 'x'));
  for (std::size_t i = 0; i < Tracer::kNamesMax; ++i) (void)tracer.name("n" + std::to_string(i));
  CHECK(tracer.text(tracer.name("one too many")) == Tracer::kOverflow);
  CHECK(tracer.text(name) == "digest.summary");
  CHECK(tracer.text(4'000'000'000U) == Tracer::kOverflow);
}
