// What subscribers can do to a publisher.
#include <fstream>
#include <zmq.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/net/raw_connection.hpp"
#include "weft/net/net.hpp"

using namespace weft;
using namespace weft::net;
using namespace std::string_literals;

namespace {

/// A connection that has said what ZMTP 3 asks of a subscriber.
test::RawConnection subscriber_at(const std::string& endpoint) {
  test::RawConnection out(endpoint);
  out.send("\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL"s + std::string(16 + 32, '\0'));
  out.send("\4\x19\5READY\13Socket-Type\0\0\0\3SUB"s);
  REQUIRE(out.skip(64 + 2 + 26));  // greeting and READY of the publisher: it takes nothing before it has sent them
  return out;
}

std::string subscription(const std::string& filter) {
  return std::string(1, '\0') + static_cast<char>(filter.size() + 1) + '\1' + filter;
}

std::size_t resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages >> pages;
  return pages * 4 / 1024;
}

struct Fixture {
  Fixture() { REQUIRE(endpoint); }
  /// False when the connection was closed before all were sent.
  bool subscribe(const test::RawConnection& connection, const std::string& word, int count) {
    std::string some;
    for (int i = 0; i < count; ++i) {
      some += subscription(word + "." + std::to_string(i));
      if (some.size() < 60'000 && i + 1 < count) continue;
      if (!connection.send(some)) return false;
      some.clear();
      while (loop.turn()) {
      }
    }
    return true;
  }

  test::ManualLoop loop;
  Context context;
  Traffic traffic, at_subscriber;
  Publisher publisher{loop, context, Limits(), traffic};
  const Result<std::string> endpoint = publisher.bind("tcp://127.0.0.1:*");
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "a million subscriptions of one connection are not kept, and other subscribers lose nothing") {
  int got = 0;
  Subscriber friendly(loop, context, Limits(), at_subscriber, [&](const wire::EnvelopeView&) { ++got; });
  friendly.add_filter("a.b"s + '\0');
  REQUIRE(friendly.connect(*endpoint));
  REQUIRE(loop.run_until([&] { return publisher.wanted("a.b"); }));
  const auto before = resident_mib();
  {
    const auto greedy = subscriber_at(*endpoint);
    (void)subscribe(greedy, "greedy", 1'000'000);
    REQUIRE(loop.run_until([&] { return context.refused_connections().subscriptions == 1; }, 30s));
    REQUIRE(loop.run_until([&] { return !publisher.wanted("greedy.1"); }, 30s));  // ZeroMQ has forgotten it
  }
  CHECK(resident_mib() - before < 100);
  CHECK_FALSE(publisher.wanted("nobody.asks"));
  wire::Header header;
  header.kind = wire::Kind::event;
  REQUIRE(loop.run_until([&] {
    (void)publisher.send(publisher.channel("a.b"), header, {}, Bytes(10));
    return got > 100;
  }));
}

TEST_CASE_METHOD(Fixture, "a subscriber may have tens of thousands of subscriptions, and those it ends do not count") {
  const auto connection = subscriber_at(*endpoint);
  for (int round = 0; round < 2; ++round) {
    REQUIRE(subscribe(connection, "many", 60'000));
    REQUIRE(loop.run_until([&] { return publisher.wanted("many.59999"); }, 30s));
    for (int i = 0; i < 60'000; ++i) {
      auto end = subscription("many." + std::to_string(i));
      end[2] = '\0';
      REQUIRE(connection.send(end));
    }
    REQUIRE(loop.run_until([&] { return !publisher.wanted("many.59999"); }, 30s));
  }
  CHECK(context.refused_connections().subscriptions == 0);
}

TEST_CASE_METHOD(Fixture, "when all subscribers together have too many, the one that has most is closed") {
  std::vector<test::RawConnection> subscribers;
  for (int i = 0; i < 6; ++i) {
    subscribers.push_back(subscriber_at(*endpoint));
    REQUIRE(subscribe(subscribers.back(), "s" + std::to_string(i), i == 2 ? 60'000 : 45'000));
  }
  REQUIRE(loop.run_until([&] { return context.refused_connections().subscriptions == 1; }, 30s));
  REQUIRE(loop.run_until([&] { return publisher.wanted("s5.44999") && !publisher.wanted("s2.1"); }, 30s));
  for (const int i : {0, 1, 3, 4, 5}) CHECK(publisher.wanted("s" + std::to_string(i) + ".44999"));
}
