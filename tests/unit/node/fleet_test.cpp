#include "node/fleet.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::node;
using Names = std::vector<std::string>;

namespace {

const std::string kHosts = "hosts: {alpha: {address: 10.0.0.1}, beta: {address: 10.0.0.2}}\n";

std::string mistakes(const std::string& yaml, const Addresses& addresses = {}) {
  std::string text;
  for (const auto& mistake : parse_fleet(yaml, "fleet.yaml", addresses).mistakes) text += mistake.describe() + "\n";
  return text;
}
bool says(const std::string& yaml, const std::string& wanted) {
  const auto text = mistakes(yaml);
  INFO(text);
  CHECK(text.find(wanted) != std::string::npos);
  return text.find(wanted) != std::string::npos;
}
Fleet fleet(const std::string& yaml) {
  INFO(mistakes(yaml));
  auto result = parse_fleet(yaml, "fleet.yaml");
  REQUIRE(result.mistakes.empty());
  return result.fleet;
}

}  // namespace

TEST_CASE("a fleet is read with its order, its defaults and its values") {
  const auto read = fleet(R"(
mesh: demo
hosts:
  beta: {address: 127.0.0.3}
  alpha: {address: 127.0.0.2}
agents:
  sysmon:
  digest:
    on: [alpha]
    needs: [sysmon]
    program: ./digest
    args: [--verbose]
    env: {A: b, N: 3}
    config: {threshold: 0.5}
    restart: transient
    start_timeout: 1500ms
    ports: [8080]
)");
  CHECK(read.mesh == "demo");
  REQUIRE(read.hosts.size() == 2);
  CHECK(read.hosts[0].name == "beta");
  CHECK(read.hub().name == "beta");
  const auto& sysmon = *read.agent("sysmon");
  CHECK(sysmon.on == Names{"beta", "alpha"});
  CHECK(sysmon.program == "weft-sysmon");
  CHECK(sysmon.restart == Restart::permanent);
  CHECK(sysmon.stop_timeout == 5s);
  const auto& digest = *read.agent("digest");
  CHECK(digest.program == "./digest");
  CHECK(digest.env == std::map<std::string, std::string>{{"A", "b"}, {"N", "3"}});
  CHECK(digest.config.at("threshold") == Value(0.5));
  CHECK(digest.restart == Restart::transient);
  CHECK(digest.start_timeout == 1500ms);
  CHECK(digest.ports == std::vector<std::uint16_t>{8080});
}

TEST_CASE("an agent waits for its needs on its own host only") {
  const auto read = fleet(kHosts + "agents: {a: {on: [beta]}, b: {on: [alpha, beta], needs: [a]}}");
  CHECK(read.graph_of("alpha") == Graph{{"b", {}}});
  CHECK(read.graph_of("beta") == Graph{{"a", {}}, {"b", {"a"}}});
  CHECK(read.graph_of("nowhere").empty());
}

TEST_CASE("a fleet without agents is a fleet") { CHECK(fleet(kHosts + "agents: {}").agents.empty()); }

TEST_CASE("a cycle is told whole, with its place") {
  CHECK(says(kHosts + "agents:\n  a: {needs: [b]}\n  b: {needs: [c]}\n  c: {needs: [a]}\n", "a -> b -> c -> a"));
  CHECK(says(kHosts + "agents:\n  a: {needs: [a]}\n", "a -> a"));
  CHECK(says(kHosts + "agents:\n  a: {needs: [b]}\n  b: {needs: [a]}\n", "fleet.yaml:3:"));
}

TEST_CASE("an unknown host and an unknown need are told with the nearest name") {
  CHECK(says(kHosts + "agents: {a: {on: [alhpa]}}", "no host 'alhpa' in this fleet, did you mean 'alpha'?"));
  CHECK(says(kHosts + "agents: {sysmon: {}, b: {needs: [sysmom]}}",
             "no agent 'sysmom' in this fleet, did you mean 'sysmon'?"));
  CHECK(says(kHosts + "agents: {a: {on: [alpha, alpha]}}", "'alpha' is named twice"));
}

TEST_CASE("a port used twice on one host names both places, and on two hosts is fine") {
  const auto twice = kHosts + "agents:\n  a: {on: [alpha], ports: [8080]}\n  b: {on: [alpha], ports: [8080]}\n";
  CHECK(says(twice, "port 8080 is used twice on host 'alpha': by 'a' at fleet.yaml:3:"));
  CHECK(says(twice, "fleet.yaml:4:"));
  CHECK(mistakes(kHosts + "agents: {a: {on: [alpha], ports: [80]}, b: {on: [beta], ports: [80]}}").empty());
  CHECK(says(kHosts + "agents: {a: {ports: [7411]}}", "port 7411 is used twice on host 'alpha': by the registry"));
}

TEST_CASE("two hubs and two hosts with one address are told with both places") {
  const std::string agents = "agents: {}";
  CHECK(says("hosts:\n  a: {address: x, hub: true}\n  b: {address: y, hub: true}\n" + agents, "fleet.yaml:2:"));
  CHECK(says("hosts:\n  a: {address: x}\n  b: {address: x}\n" + agents, "'a' and 'b' have one address, x"));
  CHECK(says("hosts:\n  a: {address: '1.2.3.4:80'}\n" + agents, "without a port"));
}

TEST_CASE("addresses from the command line replace those of the file and are checked too") {
  const auto yaml = kHosts + "agents: {}";
  const auto read = parse_fleet(yaml, "f", {{"alpha", "192.168.0.1"}});
  CHECK(read.mistakes.empty());
  CHECK(read.fleet.host("alpha")->address == "192.168.0.1");
  CHECK(mistakes(yaml, {{"alhpa", "1.2.3.4"}}).find("did you mean 'alpha'") != std::string::npos);
  CHECK(mistakes(yaml, {{"alpha", "10.0.0.2"}}).find("one address") != std::string::npos);
}

TEST_CASE("names that are no names or are taken by the mesh are refused") {
  CHECK(says(kHosts + "agents: {'a b': {}}", "a b"));
  CHECK(says(kHosts + "agents: {registry: {}}", "'registry' runs on every host by itself"));
  CHECK(says("mesh: 'x/y'\n" + kHosts + "agents: {}", "x/y"));
}

TEST_CASE("every mistake of a file is told at once, in order of line") {
  const auto text = mistakes(R"(hosts:
  alpha: {address: 10.0.0.1}
agents:
  a: {on: [beta], start_timeout: 5}
  b: {needs: [c], prot: [80]}
  d: {restart: sometimes, stop_timeout: 5 parsecs}
  a: {}
)");
  INFO(text);
  for (const auto* wanted :
       {"no host 'beta'", "start_timeout", "no agent 'c'", "agents.b.prot: unknown key", "'sometimes'", "stop_timeout"})
    CHECK(text.find(wanted) != std::string::npos);
}

TEST_CASE("what is no fleet at all is a mistake, not a crash") {
  for (const auto* text : {"", "- a\n- b\n", "just text", "hosts: 5\nagents: 7\n", "hosts: {a: 3}\nagents: {b: [1]}\n",
                           "agents: {a: {needs: 5, on: x, ports: [a]}}", "a: [", "\t"}) {
    INFO(text);
    CHECK_FALSE(mistakes(text).empty());
  }
  CHECK_FALSE(read_fleet("/no/such/fleet.yaml").mistakes.empty());
}

TEST_CASE("an endpoint puts an IPv6 address into brackets") {
  CHECK(endpoint("10.0.0.1", 7411) == "tcp://10.0.0.1:7411");
  CHECK(endpoint("::1", 80) == "tcp://[::1]:80");
}
