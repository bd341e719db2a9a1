// Whole registries over real sockets: two hosts, each with a loop of its own, so that a test can let one of them stand
// still. Agents are mesh::Mesh, as in a real process.
#include "registry/registry.hpp"

#include "tests/mesh/fixture.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using test::ManualLoop;

namespace {

/// One process with a Mesh.
struct Agent {
  observe::Metrics metrics;
  observe::Health health;
  std::unique_ptr<mesh::Mesh> mesh;
  bool fenced = false;

  const wire::InstanceRecord* sees(const std::string& agent, const std::string& host) const {
    for (const auto* record : mesh->directory().instances(agent))
      if (record->host == host) return record;
    return nullptr;
  }
};

struct Host : test::MeshFixture {
  explicit Host(std::string host_name) : name(std::move(host_name)) { random = Random(std::hash<std::string>()(name)); }

  std::string name;
  std::uint16_t call_port = test::free_port(), publish_port = test::free_port();
  std::vector<std::string> peers;
  test::TempDir folder;
  bool disk_away = false;
  observe::Metrics registry_metrics;
  observe::Health registry_health;
  std::unique_ptr<registry::Registry> registry;
  std::vector<std::unique_ptr<Agent>> agents;

  std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(call_port); }
  void start_registry(const std::string& mesh = "test") {
    registry::Options options;
    options.peer = peer_options("registry", name);
    options.peer.mesh = mesh;
    options.peer.call_port = call_port;
    options.peer.publish_port = publish_port;
    options.peers = peers;
    options.lease = 900ms;  // short, so that the suite is
    const auto open = [this]() -> Result<store::Opened> {
      if (disk_away) return Error(codes::store_failed, "the disk is away");
      return store::open_sqlite(folder / "registry.db", store::Durability::os);
    };
    bool started = false;
    REQUIRE(until([&] {  // the ports are free once ZeroMQ has closed the last ones
      if (started) return true;
      registry.reset();
      registry = std::make_unique<registry::Registry>(loop, context, options, open, random, registry_metrics, log,
                                                      registry_health);
      return started = registry->start().has_value();
    }));
  }
  Agent& start_agent(const std::string& agent, std::vector<std::string> registries = {}, bool owns_slot = false) {
    auto& one = *agents.emplace_back(std::make_unique<Agent>());
    mesh::MeshOptions options;
    options.peer = peer_options(agent, name);
    options.registries = registries.empty() ? std::vector{endpoint()} : std::move(registries);
    options.report_errors = false;
    options.owns_slot = owns_slot;
    one.mesh = std::make_unique<mesh::Mesh>(loop, context, options, one.metrics, log, one.health);
    one.mesh->on_fenced([&one] { one.fenced = true; });
    one.mesh->serve({"where", ""}, test::handler([host = name](calls::Call&) -> Result<wire::Payload> {
                      return wire::Payload::of(host);
                    }));
    REQUIRE(one.mesh->start());
    return one;
  }
  std::string metric(const std::string& line) {
    const std::string page = registry_metrics.render(observe::Metrics::Format::text);
    const auto at = page.find("\n" + line + " ");
    return at == std::string::npos ? ""
                                   : page.substr(at + line.size() + 2, page.find('\n', at + 1) - at - line.size() - 2);
  }
};

struct Fixture {
  Fixture() {
    alpha.peers = {beta.endpoint()};
    beta.peers = {alpha.endpoint()};
  }
  Host alpha{"alpha"}, beta{"beta"};
  std::vector<Host*> running{&alpha, &beta};

  /// Turns the loops of the running hosts, and moves their time about as fast as the machine's, until `done` or `limit`
  /// of their time.
  bool until(const std::function<bool()>& done, Duration limit) {
    for (Duration passed{}; !done(); passed += 2ms) {
      if (passed >= limit) return false;
      for (Host* host : running) {
        host->loop.advance(2ms);
        host->loop.run_until([] { return false; }, 1ms);
      }
    }
    return true;
  }
  void pass(Duration time) {
    until([] { return false; }, time);
  }
  void start_both() {
    alpha.start_registry();
    beta.start_registry();
  }
  static std::size_t listed(Host& host, const std::string& agent) {
    io::HttpRequest request;
    request.query["agent"] = agent;
    return from_json(host.registry->agents_page(request).body).value().as_list().size();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "agents of both hosts are seen on both within 2 s of the start") {
  Agent& one = alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  start_both();
  CHECK(until(
      [&] {
        return one.sees("two", "beta") && two.sees("one", "alpha") && one.sees("registry", "beta") &&
               two.sees("registry", "alpha");
      },
      2s));
  CHECK(alpha.metric("weft_agent_up{agent=\"two\",host=\"beta\"}") == "1");
  CHECK(alpha.metric("weft_registry_peer_up{peer=\"" + beta.endpoint() + "\"}") == "1");
}

TEST_CASE_METHOD(Fixture, "a process that owns its slot takes it back from another instance, at either registry") {
  start_both();
  Agent& node = alpha.start_agent("node", {}, true);
  Agent& observer = beta.start_agent("observer");
  REQUIRE(until([&] { return observer.sees("node", "alpha") && node.sees("observer", "beta"); }, 2s));
  const Ulid own = observer.sees("node", "alpha")->instance;
  for (Host* where : {&alpha, &beta}) {
    wire::InstanceRecord intruder = *observer.sees("node", "alpha");
    intruder.instance = alpha.id();
    intruder.claim = 1;
    node.fenced = false;
    std::optional<Result<wire::Payload>> answer;
    beta.tasks.spawn([](Agent& agent, std::string registry, wire::InstanceRecord record,
                        std::optional<Result<wire::Payload>>& out) -> Task<void> {
      wire::Payload payload = wire::Payload::of(record);
      out = co_await agent.mesh->peer().call_at(std::move(registry), "registry.register", std::move(payload));
    }(observer, where->endpoint(), intruder, answer));
    REQUIRE(until([&] { return answer.has_value(); }, 2s));
    REQUIRE(*answer);
    REQUIRE(until([&] { return node.fenced; }, 2s));
    REQUIRE(until(
        [&] {
          const auto* record = observer.sees("node", "alpha");
          return record && record->instance == own && Fixture::listed(alpha, "node") == 1 && listed(beta, "node") == 1;
        },
        2s));
    pass(1s);
    CHECK(observer.sees("node", "alpha")->instance == own);
  }
}

TEST_CASE_METHOD(Fixture, "an agent that leaves is gone on the other host at once") {
  start_both();
  Agent& one = alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return two.sees("one", "alpha") != nullptr; }, 2s));
  alpha.tasks.spawn(one.mesh->drain(1s));
  CHECK(until([&] { return two.sees("one", "alpha") == nullptr; }, 500ms));
}

TEST_CASE_METHOD(Fixture, "an agent that dies is gone everywhere when its lease ends") {
  start_both();
  alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return two.sees("one", "alpha") != nullptr; }, 2s));
  alpha.agents.clear();
  pass(400ms);
  CHECK(two.sees("one", "alpha") != nullptr);
  CHECK(until([&] { return two.sees("one", "alpha") == nullptr; }, 2s));
  CHECK(alpha.metric("weft_registry_lease_expired_total") == "1");
  CHECK(beta.metric("weft_agent_up{agent=\"one\",host=\"alpha\"}") == "0");
}

TEST_CASE_METHOD(Fixture,
                 "a registry that starts anew knows all agents of both hosts at once, and they need not register") {
  start_both();
  Agent& one = alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return one.sees("two", "beta") && two.sees("one", "alpha"); }, 2s));
  const auto epoch = two.sees("one", "alpha")->epoch;
  alpha.registry.reset();  // no farewell, as by kill -9
  pass(300ms);
  alpha.start_registry();
  CHECK(listed(alpha, "one") == 1);
  CHECK(listed(alpha, "two") == 1);
  bool seen_always = true;
  until(
      [&] {
        seen_always = seen_always && one.sees("two", "beta") && two.sees("one", "alpha") && listed(alpha, "one") == 1 &&
                      listed(alpha, "two") == 1;
        return false;
      },
      2s);
  CHECK(seen_always);
  CHECK(alpha.metric("weft_registry_instances{state=\"unconfirmed\"}") == "0");
  CHECK(two.sees("one", "alpha")->confirmed);
  CHECK(two.sees("one", "alpha")->epoch >= epoch);
}

TEST_CASE_METHOD(Fixture, "a host that stands still loses its agents on the other side, and has them back within 2 s") {
  start_both();
  Agent& one = alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return one.sees("two", "beta") && two.sees("one", "alpha"); }, 2s));
  running = {&alpha};
  CHECK(until([&] { return !one.sees("two", "beta") && !one.sees("registry", "beta"); }, 5s));
  CHECK(one.sees("one", "alpha"));
  CHECK(alpha.metric("weft_registry_peer_up{peer=\"" + beta.endpoint() + "\"}") == "0");
  Agent& three = alpha.start_agent("three");
  pass(1s);
  running = {&alpha, &beta};
  CHECK(until([&] { return one.sees("two", "beta") && two.sees("three", "alpha"); }, 2s));
  CHECK(until([&] { return three.sees("two", "beta") != nullptr; }, 100ms));
  CHECK(two.sees("one", "alpha"));
}

TEST_CASE_METHOD(Fixture, "an agent whose registry stays away registers at the other host's, and comes home") {
  start_both();
  Agent& one = alpha.start_agent("one", {alpha.endpoint(), beta.endpoint()});
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return two.sees("one", "alpha") != nullptr; }, 2s));
  alpha.registry.reset();
  const auto at = [&] { return two.sees("one", "alpha") ? two.sees("one", "alpha")->registry : ""; };
  CHECK(until([&] { return at() == "beta"; }, 12s));
  alpha.start_registry();
  bool seen_always = true;
  const auto home = [&] {
    seen_always = seen_always && two.sees("one", "alpha");
    return at() == "alpha";
  };
  CHECK(until(home, 5s));
  until([&] { return !home(); }, 2s);
  CHECK(seen_always);
  CHECK(home());
  CHECK(listed(beta, "one") == 1);
  CHECK_FALSE(one.fenced);
}

TEST_CASE_METHOD(Fixture, "a newer process in a slot takes over at once, and the older one is told") {
  start_both();
  Agent& old = alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return two.sees("one", "alpha") != nullptr; }, 2s));
  pass(10ms);
  Agent& fresh = alpha.start_agent("one");
  const auto id = fresh.mesh->peer().options().instance;
  CHECK(until(
      [&] { return listed(beta, "one") == 1 && two.sees("one", "alpha") && two.sees("one", "alpha")->instance == id; },
      1s));
  CHECK(until([&] { return old.fenced; }, 2s));
  CHECK_FALSE(fresh.fenced);
}

TEST_CASE_METHOD(Fixture, "an instance is deregistered by slot or by id, whichever registry was asked") {
  const bool by_id = GENERATE(false, true);
  start_both();
  alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  REQUIRE(until([&] { return two.sees("one", "alpha") && listed(beta, "one") == 1; }, 2s));
  const auto id = two.sees("one", "alpha")->instance.to_string();
  alpha.agents.clear();
  const wire::DeregisterRequest request{by_id ? id : "", by_id ? "" : "one@alpha", "killed by signal 9"};
  beta.tasks.spawn([](peer::Peer& peer, std::string endpoint, wire::Payload payload) -> Task<void> {
    CHECK(co_await peer.call_at(endpoint, "registry.deregister", payload));
  }(two.mesh->peer(), beta.endpoint(), wire::Payload::of(request)));
  CHECK(until([&] { return listed(alpha, "one") == 0 && two.sees("one", "alpha") == nullptr; }, 500ms));
}

TEST_CASE_METHOD(Fixture, "a store that is away does not stop the registry, and is made up for when it is back") {
  running = {&alpha};
  alpha.disk_away = true;
  alpha.start_registry();
  Agent& one = alpha.start_agent("one");
  CHECK(until([&] { return one.sees("one", "alpha") != nullptr; }, 2s));
  CHECK_FALSE(alpha.registry_health.checks().at("store").ok);
  CHECK(alpha.metric("weft_registry_store_errors_total") != "0");
  CHECK(until([&] { return one.sees("registry", "alpha")->health == wire::HealthState::critical; }, 2s));
  alpha.disk_away = false;
  CHECK(until([&] { return alpha.registry_health.checks().at("store").ok; }, 2s));
  alpha.registry.reset();
  alpha.start_registry();
  CHECK(listed(alpha, "one") == 1);
}

TEST_CASE_METHOD(Fixture, "a registry starts although the record of its predecessor seems to be newer") {
  running = {&alpha};
  auto before =
      peer::Peer(alpha.loop, alpha.context, alpha.peer_options("registry"), alpha.metrics, alpha.log).record();
  before.registry = "alpha";
  before.started_us += 3'600'000'000;  // the clock was set back by an hour
  const auto bytes = to_msgpack(to_value(before));
  REQUIRE(store::open_sqlite(alpha.folder / "registry.db", store::Durability::os)
              .value()
              .store->apply({{"record/alpha/" + before.instance.to_string(), std::string(as_text(bytes))}}));
  alpha.start_registry();
  CHECK(listed(alpha, "registry") == 1);
}

TEST_CASE_METHOD(Fixture, "registries and agents of another mesh are refused, and told which") {
  start_both();
  Host gamma("gamma");
  gamma.peers = {alpha.endpoint()};
  running.push_back(&gamma);
  gamma.start_registry("other");
  Agent& lost = gamma.start_agent("lost", {gamma.endpoint()});
  pass(1s);
  CHECK(listed(gamma, "registry") == 1);
  CHECK(lost.mesh->directory().all().empty());
  const auto told = [&](const std::string& text) {
    return std::any_of(gamma.lines.begin(), gamma.lines.end(),
                       [&](const std::string& line) { return line.find(text) != std::string::npos; });
  };
  CHECK(told("serves mesh 'test', this one serves mesh 'other'"));
  CHECK(told("is of mesh 'test', this registry serves mesh 'other'"));
  CHECK(gamma.metric("weft_registry_registrations_total{outcome=\"wrong_mesh\"}") != "0");
}

TEST_CASE_METHOD(Fixture, "its own address among the peers, and one peer by two addresses, do no harm") {
  alpha.peers = {alpha.endpoint(), beta.endpoint(), "tcp://localhost:" + std::to_string(beta.call_port)};
  start_both();
  beta.start_agent("two");
  CHECK(until([&] { return listed(alpha, "two") == 1; }, 2s));
  pass(2s);
  CHECK(listed(alpha, "two") == 1);
  CHECK(listed(alpha, "registry") == 2);
}

TEST_CASE_METHOD(Fixture, "a registration that cannot be read is answered, and the next one works") {
  running = {&alpha};
  alpha.start_registry();
  peer::Peer client(alpha.loop, alpha.context, alpha.peer_options("client"), alpha.metrics, alpha.log);
  const auto call = [&](const std::string& method, wire::Payload payload) {
    return alpha.wait(client.call_at(alpha.endpoint(), "registry." + method, std::move(payload)));
  };
  CHECK(call("register", wire::Payload::raw("junk")).error().is(codes::bad_payload));
  CHECK(call("register", wire::Payload::json("{\"agent\": 7}")).error().is(codes::bad_payload));
  CHECK(call("renew", wire::Payload::of(wire::RenewRequest{})).error().is(codes::unknown_instance));
  CHECK(call("deregister", wire::Payload::of(wire::DeregisterRequest{})));
  auto record = client.record();
  record.agent = "no spaces";
  CHECK(call("register", wire::Payload::of(record)).error().is(codes::bad_name));
  record.agent = "client";
  CHECK(call("register", wire::Payload::of(record)));
  CHECK(call("list", {}).value().value()->as_list().size() == 2);
  CHECK(call("ping", {}).value().value()->as_map().at("registry") == Value("alpha"));
}

TEST_CASE_METHOD(
    Fixture, "a circuit that opens on one host is open on the other within a beat, and its registry may begin anew") {
  start_both();
  Agent& worker = beta.start_agent("work");
  worker.mesh->serve({"do", ""}, test::handler([](calls::Call&) -> Result<wire::Payload> {
                       return Error(codes::handler_failed, "a bug");
                     }));
  Agent& one = alpha.start_agent("one");
  Agent& two = beta.start_agent("two");
  const auto served = [](Agent& seen_by) {
    const auto* record = seen_by.sees("work", "beta");
    return record && std::any_of(record->methods.begin(), record->methods.end(),
                                 [](const wire::MethodInfo& method) { return method.name == "do"; });
  };
  REQUIRE(until([&] { return served(one) && served(two) && two.sees("one", "alpha"); }, 2s));
  int failed = 0;
  const auto fail = [](mesh::Mesh& caller, int& count) -> Task<void> {
    while (count < 5) {
      const auto answer = co_await caller.call("work.do", wire::Payload::of(Value()));
      if (!answer && answer.error().is(codes::handler_failed)) ++count;
    }
  };
  alpha.tasks.spawn(fail(*one.mesh, failed));
  REQUIRE(until([&] { return failed == 5; }, 2s));
  const auto told = [](Agent& agent) {
    const auto why = agent.mesh->explain_call("work.do").refused;
    return why && why->find(", as one@alpha said") != std::string::npos;
  };
  CHECK(until([&] { return told(two); }, 300ms));  // a third of the lease
  alpha.registry.reset();
  beta.registry.reset();
  start_both();
  Agent& later = beta.start_agent("later");
  CHECK(until([&] { return served(later) && told(later); }, 2s));
  CHECK(until([&] { return later.sees("one", "alpha") && later.sees("one", "alpha")->circuits.empty(); }, 6s));
}
