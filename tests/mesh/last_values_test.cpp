#include "tests/mesh/fixture.hpp"
#include "tests/mesh/proxy.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct LastValues : test::MeshFixture {
  std::unique_ptr<Peer> publisher = make();
  Peer subscriber{loop, context, peer_options("sink"), metrics, log};
  std::vector<std::string> got;

  std::unique_ptr<Peer> make() {
    auto peer = std::make_unique<Peer>(loop, context, peer_options("source"), metrics, log);
    REQUIRE(peer->bind());
    Retention retention;
    retention.topics_max = 3;
    retention.bytes_max = 100;
    REQUIRE(peer->publishes("state.*", retention));
    return peer;
  }
  Subscription subscribe(const std::string& pattern, Peer& at, std::vector<std::string>& into) {
    SubscribeOptions options;
    options.last_value = true;
    return at.subscribe(
        *TopicPattern::parse(pattern),
        [&into](const Event& event) {
          into.push_back(std::string(event.topic) + "=" + std::string(event.payload.text()) + "#" +
                         std::to_string(event.sequence) + (event.last_value ? "!" : ""));
        },
        options);
  }
  void publish(const std::string& topic, const std::string& text) {
    REQUIRE(publisher->publish(topic, Payload::raw(text)));
  }
};

}  // namespace

TEST_CASE_METHOD(LastValues, "who comes late gets the last value of each topic once, then what follows") {
  for (int i = 1; i <= 5; ++i) publish("state.a", std::to_string(i));
  publish("state.b", "b");
  publish("other.c", "c");
  auto subscription = subscribe("#", subscriber, got);
  subscriber.connect_publisher(publisher->record().publish_endpoint);
  REQUIRE(until([&] { return got.size() >= 2; }));
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<std::string>{"state.a=5#5!", "state.b=b#1!"});
  got.clear();
  publish("state.a", "6");
  publish("other.c", "d");
  REQUIRE(until([&] { return got.size() >= 2; }));
  CHECK(got == std::vector<std::string>{"state.a=6#6", "other.c=d#2"});

  std::vector<std::string> second;  // another subscription of the same process
  auto later = subscribe("state.*", subscriber, second);
  REQUIRE(until([&] { return second.size() >= 2; }));
  publish("state.a", "7");
  REQUIRE(until([&] { return second.size() >= 3; }));
  CHECK(second.back() == "state.a=7#7");
  REQUIRE(until([&] { return got.size() >= 3; }));
  CHECK(got.size() == 3);
}

TEST_CASE_METHOD(LastValues, "while the publisher goes on, no value comes twice and none is left out after the first") {
  std::vector<Subscription> subscriptions;
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::vector<std::string>> heard(20);
  int next = 0;
  for (auto& into : heard) {  // each joins in the middle of the stream
    peers.push_back(std::make_unique<Peer>(loop, context, peer_options("sink"), metrics, log));
    subscriptions.push_back(subscribe("state.a", *peers.back(), into));
    peers.back()->connect_publisher(publisher->record().publish_endpoint);
    for (int turn = 0; turn < 30; ++turn) {
      publish("state.a", std::to_string(++next));
      loop.turn();
    }
  }
  REQUIRE(until([&] { return std::all_of(heard.begin(), heard.end(), [](const auto& one) { return !one.empty(); }); }));
  for (int turn = 0; turn < 30; ++turn) publish("state.a", std::to_string(++next));
  const std::string text = std::to_string(next), last = "state.a=" + text + "#" + text;
  for (const auto& one : heard) {
    REQUIRE(until([&] { return one.back() == last; }));
    std::vector<int> values;
    for (const auto& line : one) values.push_back(std::stoi(line.substr(8)));
    for (std::size_t i = 1; i < values.size(); ++i) CHECK(values[i] == values[i - 1] + 1);
  }
}

TEST_CASE_METHOD(LastValues, "what is kept has limits: topics and bytes of a pattern") {
  for (const auto* topic : {"state.a", "state.b", "state.c", "state.d"}) publish(topic, "1");
  publish("state.b", std::string(101, 'x'));
  auto subscription = subscribe("state.*", subscriber, got);
  subscriber.connect_publisher(publisher->record().publish_endpoint);
  REQUIRE(until([&] { return got.size() >= 2; }));
  std::sort(got.begin(), got.end());
  CHECK(got == std::vector<std::string>{"state.a=1#1!", "state.c=1#1!"});
  CHECK(metrics.counter("weft_last_values_refused_total", "").value() == 2);
}

TEST_CASE_METHOD(LastValues, "after a cut the newer value comes, and what was lost is accounted for") {
  test::Proxy proxy(context);
  const auto pumped = [&](const std::function<bool()>& done) {
    return until([&] {
      proxy.pump();
      return done();
    });
  };
  publish("state.a", "1");
  auto subscription = subscribe("state.*", subscriber, got);
  proxy.connect(publisher->record().publish_endpoint);
  subscriber.connect_publisher(proxy.endpoint());
  REQUIRE(pumped([&] { return got.size() == 1; }));
  publish("state.a", "2");
  REQUIRE(pumped([&] { return got.size() == 2; }));
  proxy.disconnect(publisher->record().publish_endpoint);
  REQUIRE(pumped([&] { return !publisher->wanted("state.a"); }));
  publish("state.a", "3");
  publish("state.a", "4");
  proxy.connect(publisher->record().publish_endpoint);
  REQUIRE(pumped([&] { return got.size() == 3; }));
  CHECK(got == std::vector<std::string>{"state.a=1#1!", "state.a=2#2", "state.a=4#4!"});
  REQUIRE(pumped([&] { return subscriber.ledger({}).heard.at(0).sent == 3; }));
  CHECK(subscriber.ledger({}).heard.at(0).dropped.at("gap") == 2);
  CHECK(subscriber.ledger({}).heard.at(0).unexplained == 0);
}
