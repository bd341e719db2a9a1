#include <zmq.hpp>

#include "tests/mesh/fixture.hpp"
#include "weft/observe/trace.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Fixture : test::MeshFixture {
  /// A process that serves methods, and calls others from them.
  struct Process {
    Process(Fixture& f, const std::string& name, observe::Tracer* tracer = nullptr) {
      auto options = f.peer_options(name);
      options.tracer = tracer;
      peer = std::make_unique<Peer>(f.loop, f.context, std::move(options), f.metrics, f.log);
      REQUIRE(peer->bind());
      endpoint = peer->record().call_endpoint;
    }
    void serve(const std::string& method, Handler handler) {
      MethodInfo info;
      info.name = method;
      peer->serve(std::move(info), std::move(handler));
    }
    /// Its method calls another one on behalf of the call that came.
    void relay(const std::string& method, const Process& to, const std::string& target) {
      serve(method, [this, &to, target](Call& call) -> Task<Result<Payload>> {
        const CallOptions within(call);
        co_return co_await peer->call_at(to.endpoint, target, {}, within);
      });
    }
    std::unique_ptr<Peer> peer;
    std::string endpoint;
  };
  Peer client{loop, context, peer_options("client"), metrics, log};

  Result<Payload> call(const Process& to, std::string method, CallOptions options = {}) {
    return wait(client.call_at(to.endpoint, std::move(method), {}, std::move(options)));
  }
  std::uint64_t expired() {
    return metrics
        .counter("weft_requests_expired_total",
                 "Requests dropped before their handler because nobody waited any longer, by place",
                 {{"place", "transit"}})
        .value();
  }
};

Task<void> call_and_forget(Peer& peer, std::string endpoint, std::string method) {
  (void)co_await peer.call_at(std::move(endpoint), std::move(method), {});
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a call that comes back to who waits for it is told at once, with the whole circle") {
  Process a(*this, "a"), b(*this, "b"), c(*this, "c");
  a.relay("start", b, "b.work");
  b.relay("work", c, "c.help");
  c.relay("help", a, "a.start");
  const TimePoint begin = loop.now();
  const auto answer = call(a, "a.start");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(codes::call_cycle));
  CHECK(answer.error().message == "calls in a circle: a.start -> b.work -> c.help -> a.start");
  CHECK(loop.now() - begin < 100ms);
}

TEST_CASE_METHOD(Fixture, "the same agent in another process is no circle") {
  Process first(*this, "a"), second(*this, "a");
  second.serve("start",
               test::handler([](Call& call) { return Result<Payload>(Payload::raw(std::to_string(call.depth()))); }));
  first.relay("start", second, "a.start");
  CHECK(call(first, "a.start")->text() == "1");
}

TEST_CASE_METHOD(Fixture, "an extension without a stamp counts, however short it is") {
  Process a(*this, "a");
  std::string key;
  a.serve("work", test::handler([&](Call& call) {
            key = call.key();
            return Result<Payload>(Payload());
          }));
  zmq::socket_t raw(context.raw(), zmq::socket_type::dealer);
  raw.set(zmq::sockopt::linger, 0);
  raw.connect(a.endpoint);
  wire::Header header;
  header.kind = wire::Kind::request;
  header.id = 1;
  const Bytes extension = to_msgpack(Value(Value::Map{{"k", "7"}}));
  Bytes frame(wire::encoded_size("a.work", extension, 0));
  wire::encode(header, "a.work", extension, {}, frame);
  raw.send(zmq::buffer(frame), zmq::send_flags::none);
  CHECK(until([&] { return !key.empty(); }));
  CHECK(key == "7");
}

TEST_CASE_METHOD(Fixture, "a handler reads what is left of the budget, and its calls have no more") {
  Process a(*this, "a"), b(*this, "b");
  Duration left{};
  b.serve("work", [&](Call& call) -> Task<Result<Payload>> {
    left = call.remaining(loop.now());
    co_return Payload();
  });
  a.serve("start", [&](Call& call) -> Task<Result<Payload>> {
    co_await sleep_for(loop, 300ms);
    const CallOptions within(call);
    co_return co_await a.peer->call_at(b.endpoint, "b.work", {}, within);
  });
  REQUIRE(call(a, "a.start", CallOptions(1s)));
  CHECK(left <= 700ms);
  CHECK(left > 500ms);
}

TEST_CASE_METHOD(Fixture, "who gives up cancels what was done on its behalf, all the way down") {
  Process a(*this, "a"), b(*this, "b");
  bool hook = false, b_cancelled = false;
  Error child;
  b.serve("never", [&](Call& call) -> Task<Result<Payload>> {
    CancelHook told;
    told.attach(call, [&] { b_cancelled = true; });
    co_await sleep_for(loop, 1h);
    co_return Payload();
  });
  a.serve("start", [&](Call& call) -> Task<Result<Payload>> {
    CancelHook told;
    told.attach(call, [&] { hook = true; });
    const CallOptions within(call);
    auto answer = co_await a.peer->call_at(b.endpoint, "b.never", {}, within);
    child = answer.error();
    co_return answer;
  });
  {
    TaskScope scope;
    scope.spawn(call_and_forget(client, a.endpoint, "a.start"));
    CHECK(until([&] { return b.peer->in_flight() == 1; }));
  }
  CHECK(until([&] { return b_cancelled; }));
  CHECK(hook);
  CHECK(child.is(codes::call_cancelled));
  CHECK(until([&] { return a.peer->in_flight() == 0; }));
}

TEST_CASE_METHOD(Fixture, "work whose caller stopped waiting while it was on its way is dropped before its handler") {
  observe::Tracer tracer(random);
  Process a(*this, "a", &tracer);
  int handled = 0;
  a.serve("count", test::handler([&](Call&) {
            ++handled;
            return Result<Payload>(Payload());
          }));
  net::Traffic traffic;
  int answers = 0;
  net::Link link(loop, context, a.endpoint, {}, traffic, [&](const wire::EnvelopeView&) { ++answers; });
  std::uint64_t id = 0;
  const auto send = [&](TimePoint sent, Duration budget) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(sent.time_since_epoch()).count();
    std::array<std::byte, wire::kStampSize> stamp;
    wire::encode_stamp(static_cast<std::uint32_t>(us), stamp);
    wire::Header header;
    header.id = ++id;
    header.sender = 7;
    header.deadline_us =
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(budget).count());
    Bytes nothing;
    REQUIRE(link.send(header, "a.count", stamp, nothing));
  };
  send(loop.now(), 1s);
  REQUIRE(until([&] { return answers == 1; }));
  const TimePoint then = loop.now();
  loop.advance(5s);  // the callee stood still: what was sent meanwhile comes now
  send(then + 1ms, 1s);
  send(then + 1ms, 10s);
  send(then + 4s, 2s);
  REQUIRE(until([&] { return answers == 3; }));
  CHECK(handled == 3);
  CHECK(expired() == 1);
  const auto spans = tracer.of_message(2, 7);
  REQUIRE(spans.size() == 1);
  CHECK(spans[0].error == 2006);
  CHECK(tracer.text(spans[0].name) == "a.count");
  CHECK(tracer.text(spans[0].note) == "its time was over when it came");
}

TEST_CASE_METHOD(Fixture, "a request that is refused before its handler is remembered, below its caller") {
  observe::Tracer tracer(random);
  Process a(*this, "a", &tracer);
  a.serve("work", test::handler([](Call&) { return Result<Payload>(Payload()); }));
  CallOptions traced;
  traced.trace = tracer.start_sampled();
  CHECK(call(a, "a.wrok", traced).error().is(codes::no_such_method));
  a.peer->start_draining();
  CHECK(call(a, "a.work", traced).error().is(codes::draining));
  const auto spans = tracer.of_trace(traced.trace.trace_id);
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].error == 2004);
  CHECK(tracer.text(spans[0].name) == "an unknown method");
  CHECK(spans[1].error == 2012);
  CHECK(tracer.text(spans[1].name) == "a.work");
  CHECK(spans[1].parent == traced.trace.span_id);
  CHECK(spans[1].sender == client.options().instance.short_id());
  CHECK(tracer.of_message(spans[1].message_id, spans[1].sender).size() == 1);
}

TEST_CASE_METHOD(Fixture, "interceptors see every call in order, at both ends, and the end in reverse") {
  Process a(*this, "a");
  a.serve("echo", test::handler([](Call& call) { return Result<Payload>(call.payload()); }));
  std::vector<std::string> seen;
  for (const char* name : {"one", "two"}) {
    Interceptor client_side{.name = name};
    client_side.before_call = [&seen, name](Outgoing& call) -> Result<void> {
      seen.push_back(std::string(name) + " before " + std::string(call.target));
      return {};
    };
    client_side.after_call = [&seen, name](Outgoing&, const Result<Payload>& outcome) {
      seen.push_back(std::string(name) + (outcome ? " after" : " after error"));
    };
    client.intercept(std::move(client_side));
    Interceptor server_side{.name = name};
    server_side.before_handler = [&seen, name](Incoming& call) -> Result<void> {
      seen.push_back(std::string(name) + " handles " + std::string(call.call.method()));
      return {};
    };
    server_side.after_handler = [&seen, name](Incoming&, const Result<Payload>&) {
      seen.push_back(std::string(name) + " handled");
    };
    a.peer->intercept(std::move(server_side));
  }
  REQUIRE(call(a, "a.echo"));
  CHECK(seen == std::vector<std::string>{"one before a.echo", "two before a.echo", "one handles echo",
                                         "two handles echo", "two handled", "one handled", "two after", "one after"});
}

TEST_CASE_METHOD(Fixture, "an authorisation hook refuses at either end, and those after it see nothing") {
  Process a(*this, "a");
  int handled = 0;
  a.serve("secret", test::handler([&](Call&) {
            ++handled;
            return Result<Payload>(Payload());
          }));
  bool refuse_here = true;
  int later = 0;
  Interceptor gate{.name = "gate"};
  gate.before_call = [&](Outgoing&) -> Result<void> {
    if (refuse_here) return Error(codes::unauthorized, "not from here");
    return {};
  };
  client.intercept(std::move(gate));
  Interceptor after{.name = "later"};
  after.before_call = [&](Outgoing&) -> Result<void> {
    ++later;
    return {};
  };
  client.intercept(std::move(after));
  CHECK(call(a, "a.secret").error().is(codes::unauthorized));
  CHECK(later == 0);
  refuse_here = false;
  Interceptor door{.name = "door"};
  door.before_handler = [](Incoming& call) -> Result<void> {
    const auto headers = call.call.headers();
    if (headers && headers->contains("token")) return {};
    return Error(codes::unauthorized, "no token");
  };
  a.peer->intercept(std::move(door));
  CHECK(call(a, "a.secret").error().is(codes::unauthorized));
  CHECK(handled == 0);
  CallOptions options;
  options.headers.edit()["token"] = "t";
  CHECK(call(a, "a.secret", options));
  CHECK(handled == 1);
}

TEST_CASE_METHOD(Fixture, "a malformed extension or chain is refused, and the next call works") {
  Process a(*this, "a");
  a.serve("echo", test::handler([](Call& call) { return Result<Payload>(call.payload()); }));
  net::Traffic traffic;
  std::vector<Error> errors;
  net::Link link(loop, context, a.endpoint, {}, traffic,
                 [&](const wire::EnvelopeView& envelope) { errors.push_back(wire::decode_error(envelope)); });
  wire::Header header;
  Bytes nothing;
  const Bytes rubbish(3, std::byte{0x93});
  header.id = 1;
  REQUIRE(link.send(header, "a.echo", rubbish, nothing));
  wire::Extension extension;
  const Bytes chain(4);
  extension.chain = chain;
  Bytes encoded;
  REQUIRE(wire::encode(extension, encoded));
  header.id = 2;
  REQUIRE(link.send(header, "a.echo", encoded, nothing));
  REQUIRE(until([&] { return errors.size() == 2; }));
  CHECK(errors[0].is(codes::bad_envelope));
  CHECK(errors[1].is(codes::bad_envelope));
  CHECK(call(a, "a.echo"));
  CHECK(a.peer->in_flight() == 0);
}
