#include <zmq.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/net/raw_connection.hpp"
#include "weft/net/net.hpp"

using namespace weft;
using namespace weft::net;

namespace {

struct Fixture {
  test::ManualLoop loop;
  Context context;
  Traffic here, there;
  Limits limits;

  static wire::Header header(wire::Kind kind, std::uint64_t id) {
    wire::Header out;
    out.kind = kind;
    out.id = id;
    return out;
  }
  static Bytes bytes(std::string_view text) {
    const auto view = as_bytes(text);
    return Bytes(view.begin(), view.end());
  }
};

/// A server that sends back what it gets.
struct EchoServer {
  explicit EchoServer(Fixture& f)
      : server(f.loop, f.context, f.limits, f.there,
               [this](const Connection& from, const wire::EnvelopeView& envelope) {
                 wire::Header header = envelope.header;
                 header.kind = wire::Kind::reply;
                 header.flags = 0;
                 Bytes payload(envelope.payload.begin(), envelope.payload.end());
                 (void)server.send(from, header, payload);
               }) {}
  Server server;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a thousand requests of all sizes come back, each once and in order") {
  EchoServer echo(*this);
  const auto endpoint = echo.server.bind("tcp://127.0.0.1:*");
  REQUIRE(endpoint);
  std::vector<std::pair<std::uint64_t, std::size_t>> got;
  Link link(loop, context, *endpoint, limits, here,
            [&](const wire::EnvelopeView& envelope) { got.emplace_back(envelope.header.id, envelope.payload.size()); });
  std::size_t size = 1;
  std::vector<std::pair<std::uint64_t, std::size_t>> wanted;
  for (std::uint64_t id = 1; id <= 1000; ++id) {
    size = size * 7 % 100'003;  // some over the size that travels in a frame of its own
    wanted.emplace_back(id, size);
    REQUIRE(link.send(header(wire::Kind::request, id), "echo.echo", Bytes(size)));
  }
  REQUIRE(loop.run_until([&] { return got.size() == 1000; }));
  CHECK(got == wanted);
  CHECK(link.connected());
  CHECK(here.sent == 1000);
  CHECK(there.received == 1000);
}

TEST_CASE_METHOD(Fixture, "a peer that goes away is told, and a link finds it again when it is back") {
  auto echo = std::make_unique<EchoServer>(*this);
  const auto endpoint = *echo->server.bind("tcp://127.0.0.1:*");
  int lost = 0, answers = 0;
  Link link(loop, context, endpoint, limits, here, [&](const wire::EnvelopeView&) { ++answers; });
  link.on_lost([&] { ++lost; });
  REQUIRE(link.send(header(wire::Kind::request, 1), "m", {}));
  REQUIRE(loop.run_until([&] { return answers == 1; }));
  echo.reset();
  REQUIRE(loop.run_until([&] { return lost == 1; }));
  CHECK_FALSE(link.connected());
  echo = std::make_unique<EchoServer>(*this);
  REQUIRE(loop.run_until([&] { return echo->server.bind(endpoint).has_value(); }));
  REQUIRE(link.send(header(wire::Kind::request, 2), "m", {}));
  REQUIRE(loop.run_until([&] { return answers == 2; }));
}

TEST_CASE_METHOD(Fixture, "a taken port and a senseless address are told apart") {
  EchoServer one(*this), two(*this);
  const auto endpoint = *one.server.bind("tcp://127.0.0.1:*");
  CHECK(two.server.bind(endpoint).error().is(codes::port_taken));
  CHECK(two.server.bind("tcp://no such host:1").error().is(codes::bad_address));
  Link link(loop, context, "nonsense", limits, here, [](const wire::EnvelopeView&) {});
  CHECK(link.send(header(wire::Kind::request, 1), "m", {}).error().is(codes::bad_address));
}

TEST_CASE_METHOD(Fixture, "a payload over the limit is refused where it is sent") {
  limits.wire.payload_max = 100;
  EchoServer echo(*this);
  Link link(loop, context, *echo.server.bind("tcp://127.0.0.1:*"), limits, here, [](const wire::EnvelopeView&) {});
  CHECK(link.send(header(wire::Kind::request, 1), "m", Bytes(100)));
  CHECK(link.send(header(wire::Kind::request, 2), "m", Bytes(101)).error().is(codes::too_large));
}

TEST_CASE_METHOD(Fixture, "a queue that nobody empties is bounded, and what it refuses is counted") {
  limits.queue_bytes_max = 1000;
  limits.socket_messages_max = 1;
  Link link(loop, context, "tcp://127.0.0.1:1", limits, here, [](const wire::EnvelopeView&) {});
  Result<void> last;
  for (int i = 0; i < 100 && last; ++i) {
    last = link.send(header(wire::Kind::request, 1), "m", Bytes(100));
    loop.turn();
  }
  REQUIRE_FALSE(last);
  CHECK(last.error().is(codes::queue_full));
  CHECK(here.dropped_queue_full == 1);
  std::size_t words = 0;  // what others wait for has as much room again
  while (words < 1000 && link.send(header(wire::Kind::cancel, 1), {}, Bytes())) ++words;
  CHECK(words > 10);
  CHECK(words < 1000);
}

TEST_CASE_METHOD(Fixture, "rubbish gets an error that says what was wrong, and the next valid request is answered") {
  EchoServer echo(*this);
  const auto endpoint = *echo.server.bind("tcp://127.0.0.1:*");
  zmq::socket_t raw(context.raw(), zmq::socket_type::dealer);
  raw.set(zmq::sockopt::linger, 0);
  raw.connect(endpoint);

  Bytes wrong_version = wire::encode(header(wire::Kind::request, 42), "m", {});
  wrong_version[2] = std::byte{9};
  Bytes cut = wire::encode(header(wire::Kind::request, 43), "m", Bytes(10));
  cut.pop_back();
  const auto good = wire::encode(header(wire::Kind::request, 44), "m", {});
  std::vector<Bytes> frames{Bytes{}, Bytes(3), Bytes(200, std::byte{0xff}), wrong_version, cut, good};
  for (const auto& frame : frames) raw.send(zmq::message_t(frame.data(), frame.size()), zmq::send_flags::none);

  std::vector<std::pair<std::uint64_t, std::string>> answers;
  REQUIRE(loop.run_until([&] {
    for (zmq::message_t message; raw.recv(message, zmq::recv_flags::dontwait);) {
      const auto envelope = wire::decode({static_cast<const std::byte*>(message.data()), message.size()}, {});
      REQUIRE(envelope);
      for (const auto one : {*envelope}) {
        if (one.header.kind == wire::Kind::batch) {
          for (wire::BatchReader batch(one.payload, {}); !batch.done();) {
            const auto inner = batch.next();
            answers.emplace_back(inner->header.id,
                                 inner->header.kind == wire::Kind::error ? wire::decode_error(*inner).name : "");
          }
        } else {
          answers.emplace_back(one.header.id, one.header.kind == wire::Kind::error ? wire::decode_error(one).name : "");
        }
      }
    }
    return answers.size() == frames.size();
  }));
  CHECK(answers[3] == std::pair<std::uint64_t, std::string>(42, "WRONG_VERSION"));
  CHECK(answers[4] == std::pair<std::uint64_t, std::string>(43, "BAD_ENVELOPE"));
  CHECK(answers[5] == std::pair<std::uint64_t, std::string>(44, ""));
  CHECK(there.dropped_malformed == 5);
}

TEST_CASE_METHOD(Fixture, "whoever sends rubbish and takes no answers costs a bounded queue") {
  limits.queue_bytes_max = 2000;
  limits.socket_messages_max = 1;
  EchoServer echo(*this);
  const auto endpoint = *echo.server.bind("inproc://rubbish");  // no buffers but those with a mark
  zmq::socket_t raw(context.raw(), zmq::socket_type::dealer);
  raw.set(zmq::sockopt::linger, 0);
  raw.set(zmq::sockopt::rcvhwm, 1);
  raw.set(zmq::sockopt::sndhwm, 1);
  raw.connect(endpoint);
  constexpr std::uint64_t kRubbish = 1000;
  std::uint64_t sent = 0;
  REQUIRE(loop.run_until([&] {
    while (sent < kRubbish && raw.send(zmq::message_t(3), zmq::send_flags::dontwait)) ++sent;
    return there.dropped_malformed == kRubbish;
  }));
  CHECK(there.sent < 100);
  CHECK(there.dropped_queue_full + there.sent == kRubbish);
}

TEST_CASE_METHOD(Fixture, "whoever floods a process that is busy and goes away does not end it") {
  limits.socket_messages_max = 10;
  EchoServer echo(*this);
  const auto endpoint = *echo.server.bind("tcp://127.0.0.1:*");
  {
    zmq::context_t elsewhere;
    zmq::socket_t raw(elsewhere, zmq::socket_type::dealer);
    raw.set(zmq::sockopt::sndhwm, 10);
    raw.set(zmq::sockopt::linger, 0);
    raw.connect(endpoint);
    zmq::pollitem_t writable{raw.handle(), 0, ZMQ_POLLOUT, 0};
    while (zmq::poll(&writable, 1, std::chrono::milliseconds(300)) > 0)
      raw.send(zmq::message_t(100'000), zmq::send_flags::dontwait);
  }
  // It sends nothing and is closed after the time for a handshake: enough for libzmq's thread to find the other gone.
  const test::RawConnection mute(endpoint);
  REQUIRE(mute.closed_within(15s));
  Link link(loop, context, endpoint, limits, here, [](const wire::EnvelopeView&) {});
  REQUIRE(link.send(header(wire::Kind::request, 1), "m", Bytes(10)));
  REQUIRE(loop.run_until([&] { return here.received > 0; }));
}

TEST_CASE_METHOD(Fixture, "a batch that would hold up everybody else is refused") {
  EchoServer echo(*this);
  zmq::socket_t raw(context.raw(), zmq::socket_type::dealer);
  raw.set(zmq::sockopt::linger, 0);
  raw.connect(*echo.server.bind("tcp://127.0.0.1:*"));
  const auto batch = [&](std::size_t bytes) {
    Bytes inner;
    while (inner.size() < bytes) {
      const auto one = wire::encode(header(wire::Kind::request, 1), "m", {});
      inner.insert(inner.end(), one.begin(), one.end());
    }
    const auto frame = wire::encode(header(wire::Kind::batch, 0), {}, inner);
    raw.send(zmq::message_t(frame.data(), frame.size()), zmq::send_flags::none);
  };
  batch(1000);
  REQUIRE(loop.run_until([&] { return there.received > 0; }));
  CHECK(there.dropped_malformed == 0);
  const auto before = there.received;
  batch(2 * 1024 * 1024);
  REQUIRE(loop.run_until([&] { return there.dropped_malformed == 1; }));
  CHECK(there.received == before);
}

TEST_CASE_METHOD(Fixture, "subscribers get what their filters take, whole and in order, large ones too") {
  Publisher publisher(loop, context, limits, here);
  const auto endpoint = *publisher.bind("tcp://127.0.0.1:*");
  std::vector<std::string> got;
  std::size_t large = 0;
  Subscriber subscriber(loop, context, limits, there, [&](const wire::EnvelopeView& event) {
    got.push_back(std::string(event.name) + ":" + std::to_string(event.header.id));
    large = std::max(large, event.payload.size());
  });
  subscriber.add_filter(std::string("a.b") + '\0');
  subscriber.add_filter("c.");
  REQUIRE(subscriber.connect(endpoint));
  REQUIRE(loop.run_until([&] { return publisher.wanted("a.b") && publisher.wanted("c.x"); }));
  CHECK_FALSE(publisher.wanted("a.bc"));
  for (std::uint64_t id = 1; id <= 3; ++id) {
    for (const auto* topic : {"a.b", "a.bc", "c.x"}) {
      REQUIRE(
          publisher.send(publisher.channel(topic), header(wire::Kind::event, id), {}, Bytes(id == 2 ? 100'000 : 10)));
    }
  }
  REQUIRE(loop.run_until([&] { return got.size() == 6; }));
  CHECK(std::count(got.begin(), got.end(), "a.b:2") == 1);
  CHECK(std::count(got.begin(), got.end(), "a.bc:1") == 0);
  CHECK(large == 100'000);
  subscriber.remove_filter("c.");
  REQUIRE(loop.run_until([&] { return !publisher.wanted("c.x"); }));
}

TEST_CASE_METHOD(Fixture, "a subscription longer than any topic ends its own connection and no other") {
  Publisher publisher(loop, context, limits, here);
  const auto endpoint = *publisher.bind("tcp://127.0.0.1:*");
  zmq::socket_t greedy(context.raw(), zmq::socket_type::sub);
  greedy.set(zmq::sockopt::linger, 0);
  greedy.set(zmq::sockopt::subscribe, "a.");
  greedy.set(zmq::sockopt::subscribe, std::string(100'000, 'a'));
  greedy.connect(endpoint);
  int got = 0;
  Subscriber subscriber(loop, context, limits, there, [&](const wire::EnvelopeView&) { ++got; });
  subscriber.add_filter("a.");
  REQUIRE(subscriber.connect(endpoint));
  REQUIRE(loop.run_until([&] {
    (void)publisher.send(publisher.channel("a.b"), header(wire::Kind::event, 1), {}, Bytes(10));
    return got > 100;
  }));
  zmq::message_t message;
  CHECK_FALSE(greedy.recv(message, zmq::recv_flags::dontwait));
}

TEST_CASE_METHOD(Fixture, "publications that are no events are dropped and counted") {
  zmq::socket_t raw(context.raw(), zmq::socket_type::pub);
  raw.set(zmq::sockopt::linger, 0);
  raw.bind("tcp://127.0.0.1:*");
  int events = 0;
  Subscriber subscriber(loop, context, limits, there, [&](const wire::EnvelopeView&) { ++events; });
  subscriber.add_filter("");
  REQUIRE(subscriber.connect(raw.get(zmq::sockopt::last_endpoint)));
  const std::string good_head("t\0", 2);
  const auto envelope = wire::encode(header(wire::Kind::event, 1), {}, {});
  const std::string good = good_head + std::string(as_text(envelope));
  REQUIRE(loop.run_until([&] {  // until the subscription has arrived at the publisher
    raw.send(zmq::buffer(good), zmq::send_flags::dontwait);
    return events > 0;
  }));
  for (const std::string& bad : {std::string("no topic end"), good_head + "junk", std::string("t")}) {
    raw.send(zmq::buffer(bad), zmq::send_flags::dontwait);
  }
  REQUIRE(loop.run_until([&] { return there.dropped_malformed == 3; }));
}
