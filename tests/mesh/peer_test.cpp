#include "tests/mesh/fixture.hpp"

using namespace weft;
using namespace weft::mesh;
using test::handler;

namespace {

struct Fixture : test::MeshFixture {
  std::unique_ptr<Peer> server = std::make_unique<Peer>(loop, context, peer_options("echo"), metrics, log);
  Peer client{loop, context, peer_options("client"), metrics, log};
  std::string endpoint;

  Fixture() {
    server->serve({"echo", "sends back"}, handler([](Call& call) { return Result<Payload>(call.payload()); }));
    server->serve({"fail", ""},
                  handler([](Call&) -> Result<Payload> { return Error(ErrorKind::denied, "MINE-7", "not today"); }));
    server->serve({"throw", ""}, handler([](Call&) -> Result<Payload> { throw std::runtime_error("a bug"); }));
    server->serve({"never", ""}, [this](Call& call) -> Task<Result<Payload>> {
      waiting = &call;
      co_await sleep_for(loop, 1h);
      co_return Payload();
    });
    REQUIRE(server->bind());
    endpoint = server->record().call_endpoint;
  }
  Result<Payload> call(std::string method, Payload payload = {}, CallOptions options = {}) {
    return wait(client.call_at(endpoint, std::move(method), std::move(payload), std::move(options)));
  }
  Call* waiting = nullptr;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a call comes back with what the handler answered, whatever its encoding") {
  CHECK(call("echo.echo", Payload::raw("hello"))->text() == "hello");
  CHECK(*call("echo.echo", Payload::of(Value::List{1, "two"}))->value() == Value(Value::List{1, "two"}));
  CHECK(*call("echo.echo", Payload::json("{\"a\":1}"))->value() == Value(Value::Map{{"a", 1}}));
  CHECK(call("echo.echo")->bytes.empty());
  CHECK(call("echo.echo", Payload(wire::Encoding::raw, Bytes(1'000'000)))->bytes.size() == 1'000'000);
}

TEST_CASE_METHOD(Fixture, "errors come back typed, and the next call works") {
  const auto denied = call("echo.fail").error();
  CHECK(denied.kind == ErrorKind::denied);
  CHECK(denied.code == "MINE-7");
  CHECK(denied.message == "not today");
  const auto threw = call("echo.throw").error();
  CHECK(threw.is(codes::handler_failed));
  CHECK(threw.message.find("a bug") != std::string::npos);
  const auto unknown = call("echo.ecko").error();
  CHECK(unknown.is(codes::no_such_method));
  CHECK(unknown.message.find("did you mean 'echo'?") != std::string::npos);
  CHECK(call("other.echo").error().is(codes::no_such_method));
  CHECK(call("echo.echo"));
  CHECK(server->in_flight() == 0);
}

TEST_CASE_METHOD(Fixture, "a handler that threw is told to whoever reports errors") {
  std::string told;
  server->on_handler_failed(
      [&](std::string_view method, const ThrownFacts& thrown) { told = std::string(method) + "|" + thrown.type; });
  CHECK_FALSE(call("echo.throw"));
  CHECK(told == "throw|std::runtime_error");
}

TEST_CASE_METHOD(Fixture, "a call without an answer ends at its deadline, and the callee is told to stop") {
  CallOptions options;
  options.timeout = 300ms;
  const auto begin = loop.now();
  const auto late = call("echo.never", {}, options).error();
  CHECK(late.is(codes::deadline_exceeded));
  CHECK(loop.now() - begin >= 300ms);
  CHECK(loop.now() - begin < 400ms);
  REQUIRE(waiting);
  CHECK(waiting->has_deadline());
  REQUIRE(until([&] { return waiting->cancelled(); }));
}

TEST_CASE_METHOD(Fixture, "a caller whose coroutine goes away takes its call back") {
  {
    TaskScope scope;
    scope.spawn([](Fixture& f) -> Task<void> { (void)co_await f.client.call_at(f.endpoint, "echo.never", {}); }(*this));
    REQUIRE(until([&] { return waiting != nullptr; }));
    CHECK(client.in_flight_to(endpoint) == 1);
  }
  CHECK(client.in_flight_to(endpoint) == 0);
  REQUIRE(until([&] { return waiting->cancelled(); }));
}

TEST_CASE_METHOD(Fixture, "a call on behalf of a call inherits what time is left, and counts its depth") {
  std::uint8_t depth = 0;
  Duration left{};
  Peer middle(loop, context, peer_options("middle"), metrics, log);
  server->serve({"look", ""}, handler([&](Call& inner) -> Result<Payload> {
                  depth = inner.depth();
                  left = inner.deadline() - loop.now();
                  return Payload();
                }));
  middle.serve({"relay", ""}, [&](Call& outer) -> Task<Result<Payload>> {
    CallOptions options;
    options.within = &outer;
    co_return co_await middle.call_at(endpoint, "echo.look", {}, options);
  });
  REQUIRE(middle.bind());
  CallOptions options;
  options.timeout = 700ms;
  REQUIRE(wait(client.call_at(middle.record().call_endpoint, "middle.relay", {}, options)));
  CHECK(depth == 1);
  CHECK(left <= 700ms);
  CHECK(left > 500ms);
}

TEST_CASE_METHOD(Fixture, "calls to a process that dies fail at once, not at their deadline") {
  std::optional<Error> error;
  const auto begin = loop.now();
  tasks.spawn([](Fixture& f, std::optional<Error>& out) -> Task<void> {
    auto answer = co_await f.client.call_at(f.endpoint, "echo.never", {});
    out = answer.error();
  }(*this, error));
  REQUIRE(until([&] { return waiting != nullptr; }));
  server.reset();
  REQUIRE(until([&] { return error.has_value(); }));
  CHECK(error->is(codes::peer_gone));
  CHECK(loop.now() - begin < 4s);
}

TEST_CASE_METHOD(Fixture, "limits are kept: requests in flight, calls waiting, payloads, depth") {
  PeerOptions small = peer_options("small");
  small.limits.in_flight_max = 1;
  small.limits.pending_max = 2;
  small.limits.payload_max = 1000;
  Peer peer(loop, context, small, metrics, log);
  int entered = 0;
  peer.serve({"wait", ""}, [&](Call&) -> Task<Result<Payload>> {
    ++entered;
    co_await sleep_for(loop, 50ms);
    co_return Payload();
  });
  peer.serve({"large", ""}, handler([](Call&) { return Result<Payload>(Payload(wire::Encoding::raw, Bytes(1001))); }));
  REQUIRE(peer.bind());
  const auto to = peer.record().call_endpoint;
  tasks.spawn(
      [](Peer& p, std::string at) -> Task<void> { (void)co_await p.call_at(at, "small.wait", {}); }(client, to));
  REQUIRE(until([&] { return entered == 1; }));
  CHECK(wait(client.call_at(to, "small.wait", {})).error().is(codes::queue_full));
  REQUIRE(until([&] { return peer.in_flight() == 0; }));
  CHECK(wait(client.call_at(to, "small.large", {})).error().is(codes::too_large));
  CHECK(wait(peer.call_at(endpoint, "echo.echo", Payload(wire::Encoding::raw, Bytes(1001))))
            .error()
            .is(codes::too_large));
  CHECK(wait(client.call_at(to, "small.wait", Payload(wire::Encoding::raw, Bytes(1001)))).error().is(codes::too_large));
}

TEST_CASE_METHOD(Fixture, "a draining process answers that it is stopping, and finishes what it has begun") {
  int done = 0;
  server->serve({"slow", ""}, [&](Call&) -> Task<Result<Payload>> {
    co_await sleep_for(loop, 20ms);
    ++done;
    co_return Payload();
  });
  bool answered = false;
  tasks.spawn([](Fixture& f, bool& out) -> Task<void> {
    out = (co_await f.client.call_at(f.endpoint, "echo.slow", {})).has_value();
  }(*this, answered));
  REQUIRE(until([&] { return server->in_flight() == 1; }));
  server->start_draining();
  CHECK(call("echo.echo").error().is(codes::draining));
  REQUIRE(until([&] { return answered; }));
  CHECK(done == 1);
}

TEST_CASE_METHOD(Fixture, "events arrive in order, numbered without gaps, and only where the pattern matches") {
  std::vector<std::string> got;
  std::uint64_t missed = 0;
  auto subscription = client.subscribe(*TopicPattern::parse("host.*.metrics"), [&](const Event& event) {
    got.push_back(std::string(event.topic) + "#" + std::to_string(event.sequence));
    missed += event.missed;
  });
  client.connect_publisher(server->record().publish_endpoint);
  client.connect_publisher(server->record().publish_endpoint);  // twice is once
  REQUIRE(until([&] { return server->wanted("host.alpha.metrics"); }));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(server->publish("host.alpha.metrics", Payload::of(i)));
    REQUIRE(server->publish("host.alpha.other", Payload::of(i)));
  }
  REQUIRE(until([&] { return got.size() == 100; }));
  CHECK(got.front() == "host.alpha.metrics#1");
  CHECK(got.back() == "host.alpha.metrics#100");
  CHECK(missed == 0);
  subscription.close();
  REQUIRE(until([&] { return !server->wanted("host.alpha.metrics"); }));
  CHECK(server->publish("bad topic", {}).error().is(codes::bad_topic));
  CHECK(server->record().topics == std::vector<std::string>{"host.alpha.metrics", "host.alpha.other"});
}

TEST_CASE_METHOD(Fixture, "a subscriber whose handler throws gets the next event all the same") {
  int count = 0;
  auto subscription = client.subscribe(*TopicPattern::parse("t"), [&](const Event&) {
    if (++count == 1) throw std::runtime_error("first");
  });
  client.connect_publisher(server->record().publish_endpoint);
  REQUIRE(until([&] { return server->wanted("t"); }));
  REQUIRE(server->publish("t", {}));
  REQUIRE(server->publish("t", {}));
  REQUIRE(until([&] { return count == 2; }));
}

TEST_CASE_METHOD(Fixture, "a taken port is told with its number") {
  PeerOptions options = peer_options("second");
  options.call_port = static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
  Peer second(loop, context, options, metrics, log);
  const auto bound = second.bind();
  REQUIRE_FALSE(bound);
  CHECK(bound.error().is(codes::port_taken));
  CHECK(bound.error().message.find(std::to_string(options.call_port)) != std::string::npos);
}
