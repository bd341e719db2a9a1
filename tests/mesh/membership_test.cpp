#include "tests/mesh/registry_fixture.hpp"

using namespace weft;
using namespace weft::mesh;
using test::FakeRegistry;
using test::handler;

namespace {

using Fixture = test::RegistryFixture;

}  // namespace

TEST_CASE_METHOD(Fixture, "a process registers, is found by name and answers") {
  auto server = echo();
  auto client = process("client");
  start(*client);
  CHECK(*wait((*client)->call("echo.where", {}))->as<std::string>() == "alpha");
  CHECK(client->health.checks().at("registry").ok);
}

TEST_CASE_METHOD(Fixture, "an agent that nobody runs is answered at once, with the nearest name") {
  auto server = echo();
  auto client = process("client");
  start(*client);
  const auto begin = loop.now();
  const auto error = wait((*client)->call("ecko.where", {})).error();
  CHECK(error.is(codes::no_responders));
  CHECK(error.message.find("did you mean 'echo'?") != std::string::npos);
  CHECK(loop.now() - begin < 50ms);
  CHECK(wait((*client)->call("nodot", {})).error().is(codes::bad_name));
  CallOptions beta;
  beta.host = "beta";
  CHECK(wait((*client)->call("echo.where", {}, beta)).error().is(codes::no_responders));
}

TEST_CASE_METHOD(Fixture, "the own host goes first, another host is reached when wanted or when it is the only one") {
  auto local = echo("alpha"), remote = echo("beta");
  auto client = process("client");
  start(*client);
  REQUIRE(until([&] { return (*client)->directory().instances("echo").size() == 2; }));
  for (int i = 0; i < 10; ++i) CHECK(*wait((*client)->call("echo.where", {}))->as<std::string>() == "alpha");
  CallOptions beta;
  beta.host = "beta";
  CHECK(*wait((*client)->call("echo.where", {}, beta))->as<std::string>() == "beta");
  (void)wait([](Mesh& mesh) -> Task<bool> {
    co_await mesh.drain(1s);
    co_return true;
  }(*local->mesh));
  REQUIRE(until([&] { return (*client)->directory().instances("echo").size() == 1; }));
  CHECK(*wait((*client)->call("echo.where", {}))->as<std::string>() == "beta");
}

TEST_CASE_METHOD(Fixture, "an instance of another protocol is not called, and the error has both versions") {
  auto server = echo();
  for (auto& [id, record] : registry->records) record.protocol_min = record.protocol_max = 2;
  auto client = process("client");
  start(*client);
  const auto error = wait((*client)->call("echo.where", {})).error();
  CHECK(error.is(codes::wrong_version));
  CHECK(error.message == "echo@alpha speaks version 2 of the protocol, this process 1");
}

TEST_CASE_METHOD(Fixture,
                 "calls go on while the registry is away, and everybody registers with the one that comes back") {
  auto server = echo();
  auto client = process("client");
  start(*client);
  const auto port = registry->port();
  registry.reset();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(wait((*client)->call("echo.where", {})));
    loop.advance(50ms);
  }
  registry = std::make_unique<FakeRegistry>(*this, port);
  REQUIRE(registry->bound);
  REQUIRE(until([&] { return registry->records.size() == 2; }));
  for (int i = 0; i < 20;
       ++i) {  // over the time in which the empty registry's first snapshot could have emptied the copy
    REQUIRE(wait((*client)->call("echo.where", {})));
    loop.advance(50ms);
  }
}

TEST_CASE_METHOD(Fixture, "a lost change is noticed and mended by a snapshot") {
  auto client = process("client");
  start(*client);
  registry->mute = true;
  auto server = echo();
  registry->mute = false;
  REQUIRE(until([&] { return !(*client)->directory().instances("echo").empty(); }));
  CHECK(wait((*client)->call("echo.where", {})));
}

TEST_CASE_METHOD(Fixture, "what a registry published while a process was at another one counts as lost nowhere") {
  FakeRegistry other(*this);
  more_registries = {other.endpoint()};
  auto client = process("client");
  start(*client);
  const auto heard = [&](FakeRegistry& from) -> std::uint64_t {
    from.publish({}, {});
    std::uint64_t sum = 0;
    for (const auto& row : (*client)->peer().ledger({}).heard) {
      CHECK(row.dropped.empty());
      CHECK(row.unexplained == 0);
      char sender[17];
      std::snprintf(sender, sizeof sender, "%016llx",
                    static_cast<unsigned long long>(from.peer->options().instance.short_id()));
      if (row.sender == sender) sum += row.received;
    }
    return sum;
  };
  REQUIRE(until([&] { return heard(*registry) > 2; }));
  registry->away = true;
  REQUIRE(until([&] { return heard(other) > 2; }));
  for (int i = 0; i < 5; ++i) registry->publish({}, {});
  const std::uint64_t before = heard(*registry);
  registry->away = false;
  REQUIRE(until([&] { return heard(*registry) > before + 2; }));
  CHECK(registry->registrations == 2);
}

TEST_CASE_METHOD(Fixture, "an instance that lost its lease registers again, a fenced one does not") {
  auto server = echo();
  const int before = registry->registrations;
  registry->records.clear();
  REQUIRE(until([&] { return registry->registrations > before; }));
  bool fenced = false;
  (*server)->on_fenced([&] { fenced = true; });
  registry->fence = true;
  REQUIRE(until([&] { return fenced; }));
  const int after = registry->registrations;
  loop.advance(3s);
  CHECK(registry->registrations == after);
  CHECK_FALSE(server->health.checks().at("registry").ok);
}

TEST_CASE_METHOD(Fixture,
                 "a registry that is too busy to answer renewals is not asked for registrations and snapshots too") {
  auto server = echo();
  REQUIRE(registry->registrations == 1);
  registry->away = true;
  REQUIRE(until([&] { return !server->health.checks().at("registry").ok || registry->refused > 3; }));
  registry->away = false;
  const int before = registry->renewals;
  REQUIRE(until([&] { return registry->renewals > before + 1; }));
  CHECK(registry->registrations == 1);
  CHECK(server->health.checks().at("registry").ok);
}

TEST_CASE_METHOD(Fixture, "a renewal that a registration of the same process overtakes is not a lost lease") {
  auto server = echo();
  for (int i = 0; i < 200;
       ++i) {  // a renewal is due each 200 ms: half of them while a registration waits for its answer
    const int before = registry->registrations;
    (*server)->serve({"method-" + std::to_string(i), ""}, handler([](Call&) -> Result<Payload> { return Payload(); }));
    loop.advance(10ms);
    loop.advance(10ms);
    REQUIRE(until([&] { return registry->registrations > before; }));
    REQUIRE(server->health.checks().at("registry").ok);
  }
  CHECK(registry->renewals + registry->overtaken > 0);  // which of the two is a matter of real time
}

TEST_CASE_METHOD(Fixture, "a health that changes while the registration waits for its answer follows at once") {
  auto server = process("echo");
  REQUIRE((*server)->start());
  REQUIRE(until([&] { return registry->registrations == 1; }));  // its answer has not been read yet
  (*server)->set_health(HealthState::warning, "early");
  const TimePoint begin = loop.now();
  REQUIRE(until([&] { return registry->renewals > 0; }));
  CHECK(loop.now() - begin < 150ms);  // the first beat comes after 200 ms
  CHECK(registry->records.begin()->second.health_text == "early");
}

TEST_CASE_METHOD(Fixture, "a subscriber hears publishers that are there and those that come later, on both hosts") {
  auto first = process("sensor", "alpha");
  REQUIRE((*first)->publishes("host.alpha.metrics"));
  start(*first);
  auto listener = process("listener");
  std::map<std::string, int> heard;
  auto subscription =
      (*listener)->subscribe("host.*.metrics", [&](const Event& event) { ++heard[std::string(event.topic)]; });
  REQUIRE(subscription);
  start(*listener);
  auto second = process("sensor", "beta");
  REQUIRE((*second)->publishes("host.beta.metrics"));
  start(*second);
  REQUIRE(until([&] {
    (void)(*first)->publish("host.alpha.metrics", Payload::of(1));
    (void)(*second)->publish("host.beta.metrics", Payload::of(1));
    return heard.size() == 2;
  }));
  CHECK((*listener)->subscribe("bad..pattern", [](const Event&) {}).error().is(codes::bad_topic));
}

TEST_CASE_METHOD(Fixture, "without a registry a process says so, and waits") {
  const std::string nowhere = registry->endpoint();
  registry.reset();
  auto lonely = std::make_unique<Process>();
  MeshOptions options;
  options.peer = peer_options("lonely");
  options.registries = {nowhere};
  options.report_errors = false;
  lonely->mesh = std::make_unique<Mesh>(loop, context, options, lonely->metrics, log, lonely->health);
  REQUIRE((*lonely)->start());
  CHECK(wait((*lonely)->ready(1s)).error().is(codes::no_registry));
  CHECK(wait((*lonely)->call("echo.where", {})).error().is(codes::no_registry));
  CHECK_FALSE(lonely->health.checks().at("registry").ok);
}
