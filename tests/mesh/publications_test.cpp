#include <random>
#include <set>

#include "tests/mesh/fixture.hpp"
#include "tests/mesh/proxy.hpp"
#include "weft/observe/trace.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Fixture : test::MeshFixture {
  test::Proxy proxy{context};
  std::unique_ptr<Peer> publisher = make("source");
  observe::Tracer tracer{random};
  std::unique_ptr<Peer> subscriber = std::make_unique<Peer>(loop, context, sink_options(), metrics, log);
  std::vector<std::uint64_t> got;
  std::uint64_t missed = 0;
  Subscription subscription;

  PeerOptions sink_options() {
    auto options = peer_options("sink");
    options.tracer = &tracer;
    return options;
  }
  /// Why the subscriber's handler did not get an event of the publisher.
  std::string note(std::uint64_t sequence) {
    const auto spans = tracer.of_message(sequence, publisher->options().instance.short_id());
    return spans.empty() ? "" : std::string(tracer.text(spans.back().note));
  }
  std::unique_ptr<Peer> make(const std::string& agent) {
    auto peer = std::make_unique<Peer>(loop, context, peer_options(agent), metrics, log);
    REQUIRE(peer->bind());
    return peer;
  }
  void subscribe(const std::string& pattern) {
    subscription = subscriber->subscribe(*TopicPattern::parse(pattern), [this](const Event& event) {
      got.push_back(event.sequence);
      missed += event.missed;
    });
  }
  bool pumped(const std::function<bool()>& done) {
    return until([&] {
      proxy.pump();
      return done();
    });
  }
  /// Subscribed through the proxy, and told where the publisher stands.
  void join(const std::string& pattern, const std::string& topic) {
    subscribe(pattern);
    proxy.connect(publisher->record().publish_endpoint);
    subscriber->connect_publisher(proxy.endpoint());
    REQUIRE(pumped([&] { return publisher->wanted(topic); }));
    settle();
  }
  /// Long enough for every message under way to arrive.
  void settle() {
    LedgerRequest tell;
    tell.tell = true;
    for (int i = 0; i < 20; ++i) {
      if (i == 10) (void)publisher->ledger(tell);
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
      (void)loop.run_until(
          [&] {
            proxy.pump();
            return std::chrono::steady_clock::now() > end;
          },
          std::chrono::milliseconds(6));
    }
  }
  /// One frame each.
  void publish(const std::string& topic, std::uint64_t count, const PublishOptions& options = {}) {
    for (std::uint64_t i = 0; i < count; ++i) {
      REQUIRE(publisher->publish(topic, Payload::raw("x"), options));
      loop.turn();
      proxy.pump();
    }
  }
  HeardTopic row(const std::string& topic, Peer& of) {
    for (auto& one : of.ledger({}).heard) {
      if (one.topic == topic) return one;
    }
    return {};
  }
  HeardTopic row(const std::string& topic) { return row(topic, *subscriber); }
  static std::uint64_t dropped(const HeardTopic& row, const std::string& reason) {
    const auto found = row.dropped.find(reason);
    return found == row.dropped.end() ? 0 : found->second;
  }
  std::uint64_t counted(const std::string& reason) {
    return metrics.counter("weft_messages_dropped_total", "", {{"class", "event"}, {"reason", reason}}).value();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "one percent lost on the way is found exactly, the first and the last event too") {
  join("news.*", "news.a");
  std::mt19937 random_number(7);
  std::set<std::uint64_t> chosen{0, 4999};
  while (chosen.size() < 50) chosen.insert(random_number() % 5000);
  proxy.drop = [&](std::uint64_t index) { return chosen.contains(index); };
  publish("news.a", 5000);
  REQUIRE(pumped([&] { return got.size() + proxy.dropped == 5000; }));
  CHECK(proxy.dropped == chosen.size());
  REQUIRE(pumped([&] { return row("news.a").sent == 5000; }));  // a heartbeat tells of the last one
  const auto account = row("news.a");
  CHECK(account.received == 5000 - proxy.dropped);
  CHECK(dropped(account, "gap") == proxy.dropped);
  CHECK(account.dropped.size() == 1);
  CHECK(account.unexplained == 0);
  CHECK(counted("gap") == proxy.dropped);
  CHECK(missed == proxy.dropped - 1);  // of the last one no event can tell
}

TEST_CASE_METHOD(Fixture, "what a filter keeps back is no gap") {
  join("a.*.c", "a.b.c");
  for (int i = 0; i < 50; ++i) {
    publish("a.b.c", 1);
    publish("a.b.d", 1);
    publish("b.b.c", 2);
  }
  REQUIRE(pumped([&] { return got.size() == 50; }));
  settle();
  CHECK(missed == 0);
  REQUIRE(subscriber->ledger({}).heard.size() == 1);
  CHECK(row("a.b.c").sent == 50);
  CHECK(row("a.b.c").received == 50);
}

TEST_CASE_METHOD(Fixture, "a second pattern with the same prefix begins where it was subscribed to, without a gap") {
  publish("a.b.d", 2);
  join("a.*.c", "a.b.c");
  publish("a.b.d", 3);
  publish("a.e.d", 3);
  settle();
  std::uint64_t more = 0, more_missed = 0;
  const auto count = [&](const Event& event) {
    ++more;
    more_missed += event.missed;
  };
  auto second = subscriber->subscribe(*TopicPattern::parse("a.*.d"), count);
  settle();
  publish("a.b.d", 1);
  publish("a.e.d", 1);
  publish("a.f.d", 1);
  REQUIRE(pumped([&] { return more == 3; }));
  second.close();
  publish("a.b.d", 2);
  settle();
  second = subscriber->subscribe(*TopicPattern::parse("a.#"), count);
  settle();
  publish("a.b.d", 1);
  publish("a.f.d", 1);
  REQUIRE(pumped([&] { return more == 5; }));
  settle();
  CHECK(more_missed == 0);
  CHECK(row("a.b.d").sent == 2);
  CHECK(row("a.f.d").sent == 2);
  CHECK(counted("gap") == 0);
}

TEST_CASE_METHOD(Fixture, "a publisher that starts again has no gap") {
  join("news.*", "news.a");
  publish("news.a", 10);
  REQUIRE(pumped([&] { return got.size() == 10; }));
  const auto before = publisher->record().publish_endpoint;
  publisher = make("source");
  publish("news.a", 7);  // nobody hears these
  proxy.connect(publisher->record().publish_endpoint);
  REQUIRE(pumped([&] { return publisher->wanted("news.a"); }));
  settle();
  publish("news.a", 5);
  REQUIRE(pumped([&] { return got.size() == 15; }));
  settle();
  CHECK(missed == 0);
  CHECK(got.back() == 12);
  const auto heard = subscriber->ledger({}).heard;
  REQUIRE(heard.size() == 2);
  for (const auto& one : heard) {
    CHECK(one.sent == one.received);
    CHECK(one.unexplained == 0);
  }
}

TEST_CASE_METHOD(Fixture, "a subscriber that starts again, or subscribes again, has no gap") {
  join("news.*", "news.a");
  publish("news.a", 10);
  REQUIRE(pumped([&] { return got.size() == 10; }));
  subscription.close();
  REQUIRE(pumped([&] { return !publisher->wanted("news.a"); }));
  publish("news.a", 10);
  subscribe("news.*");
  REQUIRE(pumped([&] { return publisher->wanted("news.a"); }));
  settle();
  publish("news.a", 10);
  REQUIRE(pumped([&] { return got.size() == 20; }));
  settle();
  CHECK(missed == 0);
  CHECK(row("news.a").sent == 20);
  CHECK(row("news.a").received == 20);

  subscription.close();
  subscriber = std::make_unique<Peer>(loop, context, peer_options("sink"), metrics, log);
  subscribe("news.*");
  subscriber->connect_publisher(proxy.endpoint());
  REQUIRE(pumped([&] { return publisher->wanted("news.a"); }));
  settle();
  publish("news.a", 10);
  REQUIRE(pumped([&] { return got.size() == 30; }));
  settle();
  CHECK(missed == 0);
  CHECK(row("news.a").sent == 10);
  CHECK(counted("gap") == 0);
}

TEST_CASE_METHOD(Fixture, "events that change places on the way are found, counted and not given out of order") {
  join("news.*", "news.a");
  publish("news.a", 2);
  REQUIRE(pumped([&] { return got.size() == 2; }));
  proxy.hold = true;
  publish("news.a", 4);  // 3 4 5 6
  REQUIRE(pumped([&] { return proxy.held.size() == 4; }));
  proxy.hold = false;
  for (const std::size_t next : {1U, 2U, 0U, 0U}) proxy.release(next);  // 4 6 3 5
  REQUIRE(pumped([&] { return dropped(row("news.a"), "reordered") == 2; }));
  settle();
  CHECK(got == std::vector<std::uint64_t>{1, 2, 4, 6});
  CHECK(missed == 2);
  const auto account = row("news.a");
  CHECK(account.sent == 6);
  CHECK(account.received == 4);
  CHECK(account.unexplained == 0);
  CHECK(metrics.counter("weft_events_out_of_order_total", "").value() == 2);
}

TEST_CASE_METHOD(Fixture, "what is older than its time to live is dropped before the handler and counted") {
  join("news.*", "news.a");
  PublishOptions options;
  options.time_to_live = 1s;
  publish("news.a", 1, options);
  REQUIRE(pumped([&] { return got.size() == 1; }));
  proxy.hold = true;
  publish("news.a", 3, options);
  publish("news.a", 1);
  REQUIRE(pumped([&] { return proxy.held.size() == 4; }));
  loop.advance(1500ms);
  proxy.hold = false;
  while (!proxy.held.empty()) proxy.release(0);
  REQUIRE(pumped([&] { return got.size() == 2; }));
  CHECK(got.back() == 5);
  CHECK(missed == 0);
  CHECK(dropped(row("news.a"), "expired") == 3);
  CHECK(counted("expired") == 3);
  CHECK(note(1).empty());
  CHECK(note(2) == "dropped: expired");
  publish("news.a", 1, options);
  REQUIRE(pumped([&] { return got.size() == 3; }));
}

TEST_CASE_METHOD(Fixture, "what an admission refuses, and what a handler gives back, is dropped by its reason") {
  subscriber->admit_events([](const Event& event) { return event.sequence != 2; });
  join("news.*", "news.a");
  subscription.close();
  subscription = subscriber->subscribe(*TopicPattern::parse("news.*"), [&](const Event& event) {
    got.push_back(event.sequence);
    if (event.sequence == 3) subscriber->dropped(event, Drop::mailbox);
  });
  auto second = subscriber->subscribe(*TopicPattern::parse("news.a"), [&](const Event& event) {
    if (event.sequence == 3) subscriber->dropped(event, Drop::mailbox);
  });
  REQUIRE(pumped([&] { return publisher->wanted("news.a"); }));
  settle();
  publish("news.a", 5);
  REQUIRE(pumped([&] { return got.size() == 4; }));
  subscriber->dropped(publisher->options().instance.short_id(), "news.a", 4, Drop::undecodable);
  subscriber->dropped(publisher->options().instance.short_id(), "news.a", 4, Drop::undecodable);  // another handler
  const auto account = row("news.a");
  CHECK(account.sent == 5);
  CHECK(account.received == 2);
  CHECK(dropped(account, "denied") == 1);
  CHECK(dropped(account, "mailbox") == 1);
  CHECK(dropped(account, "undecodable") == 1);
  CHECK(account.unexplained == 0);
}

TEST_CASE_METHOD(Fixture,
                 "a subscriber that is too slow loses what is counted as such, exactly, and stops nobody else") {
  PeerOptions options = peer_options("narrow");
  options.limits.socket_messages_max = 8;
  publisher = std::make_unique<Peer>(loop, context, options, metrics, log);
  REQUIRE(publisher->bind());
  test::ManualLoop slow_loop;
  observe::Metrics slow_metrics;
  PeerOptions slow_options = peer_options("slow");
  slow_options.limits.socket_messages_max = 8;
  Peer slow(slow_loop, context, slow_options, slow_metrics, log);
  slow.name_senders([](std::uint64_t) { return "narrow@alpha"; });
  std::uint64_t slow_got = 0, slow_missed = 0;
  auto slow_subscription = slow.subscribe(*TopicPattern::parse("#"), [&](const Event& event) {
    ++slow_got;
    slow_missed += event.missed;
  });
  slow.connect_publisher(publisher->record().publish_endpoint);
  const auto both = [&](const std::function<bool()>& done) {
    return until([&] {
      while (slow_loop.turn()) {
      }
      slow_loop.advance(1ms);
      return done();
    });
  };
  REQUIRE(both([&] { return publisher->wanted("big.b"); }));
  subscribe("big.*");
  subscriber->connect_publisher(publisher->record().publish_endpoint);
  REQUIRE(until([&] {
    REQUIRE(publisher->publish("big.a", Payload::raw("hello")));
    return !got.empty();
  }));
  const std::string large(15'000, 'x');
  std::uint64_t all = publisher->ledger({}).published[0].sequence;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 1500; ++i, ++all) {  // more than the buffers of the kernel hold
      REQUIRE(publisher->publish(i % 2 == 0 ? "big.a" : "big.b", Payload::raw(large)));
      const auto before = got.size();
      REQUIRE(loop.run_until([&] { return got.size() > before; }));
    }
    const auto sent = [&] { return row("big.a", slow).sent + row("big.b", slow).sent; };
    REQUIRE(both([&] { return sent() + 20 >= all && sent() >= slow_got; }));
  }
  const auto unexplained = [&] { return row("big.a", slow).unexplained + row("big.b", slow).unexplained; };
  loop.advance(2s);
  REQUIRE(both([&] { return unexplained() == 0; }));
  CHECK(missed == 0);  // of the fast one
  const auto lost = dropped(row("big.a", slow), "hwm") + dropped(row("big.b", slow), "hwm");
  CHECK(lost > 0);
  CHECK(row("big.a", slow).sent + row("big.b", slow).sent == slow_got + lost);
  CHECK(dropped(row("big.a", slow), "gap") + dropped(row("big.b", slow), "gap") == 0);
  const observe::Labels labels{{"class", "event"}, {"reason", "hwm"}, {"peer", "narrow@alpha"}};
  CHECK(slow_metrics.counter("weft_messages_dropped_total", "", labels).value() == lost);
}

TEST_CASE_METHOD(Fixture,
                 "a subscriber that takes nothing holds so many bytes of its publisher, however few frames that is") {
  PeerOptions options = peer_options("narrow");
  options.limits.queue_bytes_max = 512 * 1024;
  publisher = std::make_unique<Peer>(loop, context, options, metrics, log);
  REQUIRE(publisher->bind());
  PeerOptions deaf_options = peer_options("deaf");
  deaf_options.limits.socket_messages_max = 8;
  Peer deaf(loop, context, deaf_options, metrics, log);
  std::uint64_t got_one_by_one = 0;
  auto listening = deaf.subscribe(*TopicPattern::parse("big.*"), [&](const Event&) { ++got_one_by_one; });
  deaf.connect_publisher(publisher->record().publish_endpoint);
  REQUIRE(until([&] { return publisher->wanted("big.a"); }));
  const std::string large(15'000, 'x');
  const auto sent = [&] { return row("big.a", deaf).sent; };
  for (int i = 0; i < 4; ++i) REQUIRE(publisher->publish("big.a", Payload::raw(large)));
  REQUIRE(until([&] { return got_one_by_one > 0; }));
  // In one turn of the loop, so that nobody reads: 40 MB, 2700 frames. Before the mark of 10,000 nothing would be
  // refused.
  for (int i = 0; i < 2700; ++i) {
    REQUIRE(publisher->publish("big.a", Payload::raw(large)));
    publisher->flush();
  }
  REQUIRE(until([&] { return sent() >= 2704; }));
  CHECK(dropped(row("big.a", deaf), "hwm") > 1000);
  CHECK(row("big.a", deaf).unexplained == 0);
  CHECK(got_one_by_one + dropped(row("big.a", deaf), "hwm") == 2704);
}
