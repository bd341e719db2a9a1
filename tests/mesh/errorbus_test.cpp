// Reporter, bus, relay and hub in one process, over real sockets on loopback.
#include "errorbus/errorbus.hpp"

#include <set>

#include "tests/mesh/fixture.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::mesh;
using weft::report::ErrorReporter;
using weft::report::ReportReply;
using weft::report::ReportRequest;

namespace {

/// One host's bus as a process would have it; what it owns dies with it, its journal stays.
struct Bus {
  Bus(test::MeshFixture& f, const test::TempDir& dir, const std::string& host, std::uint16_t port,
      const std::string& hub)
      : peer(f.loop, f.context, options_for(f, host, port), metrics, f.log) {
    errorbus::Options options;
    options.host = host;
    options.hub = hub;
    options.journal.file = dir / (host + ".db");
    bus = std::make_unique<errorbus::ErrorBus>(f.loop, peer, options, metrics, f.log, health);
    bus->start();
    bool bound = false;  // not at once after a restart: ZeroMQ closes the port of the bus before this one in its thread
    REQUIRE(f.until([&] { return bound = bound || peer.bind().has_value(); }));
  }
  static PeerOptions options_for(test::MeshFixture& f, const std::string& host, std::uint16_t port) {
    PeerOptions options = f.peer_options("errorbus", host);
    options.call_port = port;
    return options;
  }
  std::string endpoint() const { return peer.record().call_endpoint; }

  observe::Metrics metrics;
  observe::Health health;
  Peer peer;
  std::unique_ptr<errorbus::ErrorBus> bus;
};

std::uint16_t port_of(const std::string& endpoint) {
  return static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)));
}

struct Fixture : test::MeshFixture {
  test::TempDir dir;
  std::unique_ptr<Bus> hub = std::make_unique<Bus>(*this, dir, "alpha", test::free_port(), "");
  std::string hub_endpoint = hub->endpoint();
  std::unique_ptr<Bus> bus = std::make_unique<Bus>(*this, dir, "beta", test::free_port(), hub_endpoint);
  std::string bus_endpoint = bus->endpoint();
  Peer agent{loop, context, peer_options("echo", "beta"), metrics, log};

  template <class Reply, class Request>
  Result<Reply> ask(const std::string& endpoint, const std::string& method, const Request& request) {
    auto reply = wait(agent.call_at(endpoint, "errorbus." + method, Payload::of(request)));
    if (!reply) return reply.error();
    return reply->template as<Reply>();
  }
  ReportRequest reported(std::uint64_t first, std::uint64_t last, const std::string& host = "beta") {
    ReportRequest request;
    request.events = test::numbered_events(first, last, host);
    return request;
  }
  /// The numbered events in the journal of the bus at `endpoint`, in its order.
  std::vector<std::int64_t> journal_of(const std::string& endpoint) {
    std::vector<std::int64_t> out;
    errorbus::EventsRequest request;
    request.limit = 1000;
    request.oldest_first = true;
    request.code = "NUMBERED";
    for (bool more = true; more;) {
      auto page = ask<errorbus::EventsReply>(endpoint, "events", request);
      REQUIRE(page);
      for (const auto& stored : page->events) out.push_back(stored.event.values.at("n").as_int());
      request.after = page->next;
      more = page->more;
    }
    return out;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "what a host's bus acknowledges arrives at the hub, in order and once") {
  const auto reply = ask<ReportReply>(bus_endpoint, "report", reported(1, 1500));
  REQUIRE(reply);
  CHECK(reply->accepted == 1500);
  CHECK(ask<ReportReply>(bus_endpoint, "report", reported(1491, 1510))->duplicates == 10);
  REQUIRE(until([&] { return hub->bus->stats().events_total == 1510; }));
  CHECK(journal_of(hub_endpoint) == test::numbers(1, 1510));
  REQUIRE(until([&] { return bus->bus->stats().relay_pending == 0; }));
  const auto text = hub->metrics.render(observe::Metrics::Format::text);
  CHECK(text.find(R"(weft_error_events_total{agent="echo",code="NUMBERED",host="beta",severity="error"} 1510)") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a bad event is refused with its place, and nothing of its report is taken") {
  auto request = reported(1, 5);
  request.events[3].code.clear();
  const auto refused = ask<ReportReply>(bus_endpoint, "report", request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::bad_event));
  CHECK(refused.error().message.find("event 4 of 5") == 0);
  CHECK(bus->bus->stats().events_total == 0);
  const auto nonsense = wait(agent.call_at(bus_endpoint, "errorbus.report", Payload::raw("nonsense")));
  CHECK(nonsense.error().is(codes::bad_payload));
}

TEST_CASE_METHOD(Fixture, "issues are listed, acted upon and counted over the wire") {
  REQUIRE(ask<ReportReply>(hub_endpoint, "report", reported(1, 7)));
  const auto issues = ask<errorbus::IssuesReply>(hub_endpoint, "issues", errorbus::IssuesRequest());
  REQUIRE(issues);
  REQUIRE(issues->issues.size() == 1);
  CHECK(issues->issues[0].count == 7);
  errorbus::IssueAction action;
  action.id = issues->issues[0].id;
  CHECK(ask<errorbus::Issue>(hub_endpoint, "ack", action).error().is(codes::bad_value));
  action.who = "ada";
  CHECK(ask<errorbus::Issue>(hub_endpoint, "ack", action)->state == errorbus::IssueState::acknowledged);
  errorbus::IssueRequest one;
  one.id = action.id;
  CHECK(ask<errorbus::IssueReply>(hub_endpoint, "issue", one)->issue.who == "ada");
  CHECK(ask<errorbus::Stats>(hub_endpoint, "stats", Value())->events_total == 7);
}

TEST_CASE_METHOD(Fixture, "an event is published live by the bus of its host only") {
  std::vector<std::string> topics;
  const auto handle = [&](const Event& event) { topics.emplace_back(event.topic); };
  auto subscription = agent.subscribe(*TopicPattern::parse("errors.#"), handle);
  agent.connect_publisher(hub->peer.record().publish_endpoint);
  agent.connect_publisher(bus->peer.record().publish_endpoint);
  std::uint64_t n = 0;
  REQUIRE(until([&] {  // the first ones go before the subscription has arrived
    n += 1;
    (void)ask<ReportReply>(bus_endpoint, "report", reported(n, n));
    return !topics.empty();
  }));
  const auto before = topics.size();
  REQUIRE(ask<ReportReply>(bus_endpoint, "report", reported(n + 1, n + 20)));
  REQUIRE(until([&] { return hub->bus->stats().events_total == n + 20; }));
  REQUIRE(until([&] { return topics.size() >= before + 20; }));
  loop.advance(50ms);
  CHECK(topics.size() == before + 20);
  CHECK(std::set<std::string>(topics.begin(), topics.end()) == std::set<std::string>{"errors.beta.error"});
}

TEST_CASE_METHOD(Fixture, "cuts at any point: every number of an agent is at the hub exactly once, in order") {
  ErrorReporter::Options options;
  options.host = "beta";
  options.agent = "echo";
  options.instance = id();
  options.spool_file = dir / "echo.events";
  options.ring_max = 300;
  options.batch_max = 64;
  options.retry = 20ms;
  Random cuts(7);
  // Between agent and bus: a request may get lost before it arrives, or its answer on the way back.
  auto send = [&](ReportRequest request) -> Task<Result<ReportReply>> {
    const auto fate = cuts.below(4);
    if (fate == 0) co_return Error(codes::peer_gone, "cut before");
    auto payload = Payload::of(request);
    CallOptions within(200ms);
    auto reply = co_await agent.call_at(bus_endpoint, "errorbus.report", std::move(payload), within);
    if (fate == 1) co_return Error(codes::deadline_exceeded, "cut after");
    if (!reply) co_return reply.error();
    co_return reply->as<ReportReply>();
  };
  ErrorReporter reporter(loop, options, send, metrics, log);

  std::uint64_t n = 0;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 50; ++i) reporter.report(test::numbered_event(++n, "beta"));
    (void)until([] { return false; }, std::chrono::milliseconds(static_cast<int>(cuts.below(15))));
    switch (cuts.below(6)) {
      case 0:  // the hub restarts
        hub.reset();
        loop.advance(300ms);
        hub = std::make_unique<Bus>(*this, dir, "alpha", port_of(hub_endpoint), "");
        break;
      case 1:  // the host's bus restarts
        bus.reset();
        agent.drop_peer(bus_endpoint, "restarts");
        loop.advance(300ms);
        bus = std::make_unique<Bus>(*this, dir, "beta", port_of(bus_endpoint), hub_endpoint);
        break;
      case 2:  // the connection to the hub breaks
        bus->peer.drop_peer(hub_endpoint, "cut");
        break;
      default:
        break;
    }
  }
  REQUIRE(until([&] { return reporter.unacknowledged() == 0; }, std::chrono::seconds(60)));
  REQUIRE(until([&] { return bus->bus->stats().relay_pending == 0; }, std::chrono::seconds(30)));
  const auto wanted = test::numbers(1, static_cast<std::int64_t>(n));
  CHECK(journal_of(bus_endpoint) == wanted);
  CHECK(journal_of(hub_endpoint) == wanted);
  const auto text = hub->metrics.render(observe::Metrics::Format::text);
  CHECK(text.find(R"(code="NUMBERED",host="beta",severity="error"} )" + std::to_string(n)) != std::string::npos);
}

TEST_CASE_METHOD(Fixture,
                 "a burst of 100,000 reports through a small ring: the counts at the hub are exact, the events few") {
  ErrorReporter::Options options;
  options.host = "beta";
  options.agent = "echo";
  options.instance = id();
  options.ring_max = 200;
  options.batch_max = 64;
  options.retry = 20ms;
  Random cuts(11);
  auto send = [&](ReportRequest request) -> Task<Result<ReportReply>> {
    auto payload = Payload::of(request);
    CallOptions within(200ms);
    auto reply = co_await agent.call_at(bus_endpoint, "errorbus.report", std::move(payload), within);
    if (cuts.below(3) == 0) co_return Error(codes::deadline_exceeded, "cut after");  // it is sent again
    if (!reply) co_return reply.error();
    co_return reply->as<ReportReply>();
  };
  ErrorReporter reporter(loop, options, send, metrics, log);
  for (std::uint64_t n = 1; n <= 100'000; ++n) {
    ErrorEvent event;
    event.code = n % 10 == 0 ? "RARE" : "OFTEN";
    event.message = "number {n}";
    event.values["n"] = n;
    reporter.report(std::move(event));
    if (n % 20'000 == 0) loop.advance(30ms);  // some are sent meanwhile
  }
  REQUIRE(until([&] { return reporter.unacknowledged() == 0; }));
  REQUIRE(until([&] { return hub->bus->stats().events_total == 100'000; }));
  CHECK(hub->bus->stats().events_kept < 2'000);
  const auto issues = ask<errorbus::IssuesReply>(hub_endpoint, "issues", errorbus::IssuesRequest());
  REQUIRE(issues);
  std::map<std::string, std::uint64_t> counts;
  for (const auto& issue : issues->issues) counts[issue.code] = issue.count;
  CHECK(counts == std::map<std::string, std::uint64_t>{{"OFTEN", 90'000}, {"RARE", 10'000}});
  const auto text = hub->metrics.render(observe::Metrics::Format::text);
  CHECK(text.find(R"(weft_error_events_total{agent="echo",code="RARE",host="beta",severity="error"} 10000)") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a journal that vanishes is begun anew, and what was reported meanwhile is acknowledged") {
  REQUIRE(ask<ReportReply>(hub_endpoint, "report", reported(1, 5)));
  std::filesystem::remove(dir / "alpha.db");
  REQUIRE(ask<ReportReply>(hub_endpoint, "report", reported(6, 10)));
  CHECK(journal_of(hub_endpoint) == test::numbers(6, 10));
  CHECK(hub->health.checks().at("journal").ok);
}

TEST_CASE_METHOD(Fixture,
                 "a journal that cannot be opened is replaced by one in memory, which moves into the file later") {
  REQUIRE(ask<ReportReply>(bus_endpoint, "report", reported(1, 5)));
  bus.reset();
  std::filesystem::rename(dir / "beta.db", dir / "kept.db");
  std::filesystem::create_directory(dir / "beta.db");
  bus = std::make_unique<Bus>(*this, dir, "beta", port_of(bus_endpoint), hub_endpoint);
  CHECK_FALSE(bus->health.checks().at("journal").ok);
  CHECK(bus->health.checks().at("journal").text.find("kept in memory") != std::string::npos);
  CHECK(bus->bus->stats().journal_error.find("beta.db") != std::string::npos);
  REQUIRE(until([&] { return ask<ReportReply>(bus_endpoint, "report", reported(6, 10)).has_value(); }));
  CHECK(journal_of(bus_endpoint) == test::numbers(6, 10));
  REQUIRE(until([&] { return journal_of(hub_endpoint) == test::numbers(1, 10); }));
  errorbus::EventsRequest own;
  own.code = "WEFT-4002";
  CHECK(ask<errorbus::EventsReply>(bus_endpoint, "events", own)->events.size() == 1);

  std::filesystem::remove(dir / "beta.db");
  std::filesystem::rename(dir / "kept.db", dir / "beta.db");
  loop.advance(1100ms);
  CHECK(bus->health.checks().at("journal").ok);
  CHECK(bus->bus->stats().journal_error.empty());
  CHECK(journal_of(bus_endpoint) == test::numbers(1, 10));
  const auto text = bus->metrics.render(observe::Metrics::Format::text);
  CHECK(text.find(R"(code="NUMBERED",host="beta",severity="error"} 10)") != std::string::npos);
  REQUIRE(ask<ReportReply>(bus_endpoint, "report", reported(11, 15)));
  REQUIRE(until([&] { return journal_of(hub_endpoint) == test::numbers(1, 15); }));
}

TEST_CASE_METHOD(Fixture, "a journal that is replaced by a directory while it is open continues in memory") {
  std::filesystem::remove(dir / "alpha.db");
  std::filesystem::create_directory(dir / "alpha.db");
  const auto refused = ask<ReportReply>(hub_endpoint, "report", reported(1, 5));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::journal_failed));
  CHECK_FALSE(hub->health.checks().at("journal").ok);
  REQUIRE(ask<ReportReply>(hub_endpoint, "report", reported(1, 5)));
  std::filesystem::remove(dir / "alpha.db");
  loop.advance(1100ms);
  CHECK(hub->health.checks().at("journal").ok);
  CHECK(journal_of(hub_endpoint) == test::numbers(1, 5));
}

TEST_CASE_METHOD(Fixture, "a flipped header bit costs the error journal nothing, and is reported on the bus") {
  REQUIRE(ask<ReportReply>(bus_endpoint, "report", reported(1, 20)));
  REQUIRE(until([&] { return journal_of(hub_endpoint) == test::numbers(1, 20); }));
  bus.reset();
  test::flip_bit(dir / "beta.db", 20);
  bus = std::make_unique<Bus>(*this, dir, "beta", port_of(bus_endpoint), hub_endpoint);
  CHECK(bus->health.checks().at("journal").ok);
  REQUIRE(until([&] { return ask<errorbus::Stats>(bus_endpoint, "stats", Value()).has_value(); }));
  CHECK(journal_of(bus_endpoint) == test::numbers(1, 20));
  errorbus::EventsRequest damage;
  damage.code = "WEFT-4004";
  REQUIRE(until([&] { return ask<errorbus::EventsReply>(hub_endpoint, "events", damage)->events.size() == 1; }));
}

TEST_CASE_METHOD(Fixture, "the bus's own errors are in its journal") {
  ErrorEvent event;
  event.code = "OWN";
  event.message = "something";
  bus->bus->report(event);
  bus->bus->close();
  errorbus::EventsRequest request;
  request.agent = "errorbus";
  const auto page = ask<errorbus::EventsReply>(bus_endpoint, "events", request);
  REQUIRE(page);
  REQUIRE(page->events.size() == 1);
  CHECK(page->events[0].event.host == "beta");
}
