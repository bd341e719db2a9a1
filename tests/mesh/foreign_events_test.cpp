#include "tests/mesh/fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Fixture : test::MeshFixture {
  Fixture() {
    REQUIRE(publisher.bind());
    REQUIRE(subscriber.bind());
  }

  Peer publisher{loop, context, peer_options("source"), metrics, log};
  Peer subscriber{loop, context, peer_options("sink"), metrics, log};
  const std::uint64_t instance = publisher.options().instance.short_id();
  std::vector<std::uint64_t> got;
  std::uint64_t missed = 0;
  Subscription subscription = subscriber.subscribe(*TopicPattern::parse("t"), [this](const Event& event) {
    got.push_back(event.sequence);
    missed += event.missed;
  });
};

}  // namespace

TEST_CASE_METHOD(Fixture, "events that another process sends in the name of a publisher change nothing for it") {
  subscriber.connect_publisher(publisher.record().publish_endpoint, instance);
  REQUIRE(until([&] { return publisher.wanted("t"); }));
  net::Traffic traffic;
  net::Publisher forger(loop, context, net::Limits(), traffic);
  const auto forger_endpoint = *forger.bind("tcp://127.0.0.1:*");
  subscriber.connect_publisher(forger_endpoint, instance);  // as its forged record says
  REQUIRE(until([&] { return forger.wanted("t"); }));
  wire::Header forged;
  forged.kind = wire::Kind::event;
  forged.id = 1'000'000'000'000'000;
  forged.sender = instance;
  REQUIRE(forger.send(forger.channel("t"), forged, {}, Bytes(1)));
  const std::string dropped = "weft_messages_dropped_total{class=\"event\",reason=\"foreign_sender\"} 1\n";
  REQUIRE(until([&] { return metrics.render(observe::Metrics::Format::text).find(dropped) != std::string::npos; }));
  for (int i = 0; i < 500; ++i) REQUIRE(publisher.publish("t", Payload::raw("true")));
  REQUIRE(until([&] { return got.size() == 500; }));
  CHECK(got.front() == 1);
  CHECK(missed == 0);
  subscriber.disconnect_publisher(forger_endpoint, instance);  // the forged record expires
  REQUIRE(publisher.publish("t", Payload::raw("true")));
  REQUIRE(until([&] { return got.size() == 501; }));
}

TEST_CASE_METHOD(Fixture, "a record with the endpoint of another publisher does not disconnect it when it expires") {
  const auto endpoint = publisher.record().publish_endpoint;
  subscriber.connect_publisher(endpoint, instance);
  subscriber.connect_publisher(endpoint, 42);
  REQUIRE(until([&] { return publisher.wanted("t"); }));
  subscriber.disconnect_publisher(endpoint, 42);
  REQUIRE(publisher.publish("t", Payload::raw("true")));
  REQUIRE(until([&] { return got.size() == 1; }));
}
