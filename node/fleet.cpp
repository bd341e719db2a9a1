#include "node/fleet.hpp"

#include <algorithm>
#include <tuple>

#include "node/fleet_check.hpp"

namespace weft::node {
namespace {

/// Takes what can be taken; what has another type keeps its default, and the schema has told of it.
class Reader {
 public:
  Reader(const config::Document& document, std::vector<config::Mistake>& mistakes)
      : document_(document), mistakes_(mistakes) {}

  Fleet fleet() {
    Fleet out;
    const Value& root = document_.root;
    take(root["mesh"], out.mesh);
    take(root["environment"], out.environment);
    for (const auto& name : keys_in_order("hosts")) out.hosts.push_back(host(name, root["hosts"][name]));
    for (const auto& name : keys_in_order("agents")) out.agents.push_back(agent(name, root["agents"][name], out));
    return out;
  }

 private:
  template <class T>
  static void take(const Value& in, T& out) {
    if (in.is_null()) return;
    if (auto read = from_value<T>(in)) out = std::move(*read);
  }
  void take_duration(const std::string& path, const Value& in, Duration& out) {
    if (!in.is_string()) return;
    auto read = duration_from(in.as_string());
    if (read) {
      out = *read;
    } else if (!told(path)) {
      mistakes_.push_back({origin_of(document_, path), path, read.error().message});
    }
  }
  bool told(const std::string& path) const {
    return std::any_of(mistakes_.begin(), mistakes_.end(), [&](const auto& mistake) { return mistake.path == path; });
  }
  std::vector<std::string> keys_in_order(const std::string& section) const {
    const Value& map = document_.root[section];
    std::vector<std::string> names;
    if (!map.is_map()) return names;
    for (const auto& [name, value] : map.as_map()) names.push_back(name);
    const auto place = [&](const std::string& name) {
      const auto origin = origin_of(document_, section + "." + name);
      return std::tuple(origin.line, origin.column, name);
    };
    std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
    return names;
  }

  static FleetHost host(const std::string& name, const Value& in) {
    FleetHost out{name, "127.0.0.1"};
    take(in["address"], out.address);
    take(in["hub"], out.hub);
    return out;
  }
  FleetAgent agent(const std::string& name, const Value& in, const Fleet& fleet) {
    FleetAgent out;
    out.name = name;
    out.program = "weft-" + name;
    if (in["on"].is_null()) {
      for (const auto& each : fleet.hosts) out.on.push_back(each.name);
    }
    take(in["on"], out.on);
    take(in["needs"], out.needs);
    take(in["program"], out.program);
    take(in["args"], out.args);
    take(in["cwd"], out.cwd);
    take(in["config"], out.config);
    take(in["restart"], out.restart);
    take(in["restarts_max"], out.restarts_max);
    take(in["ports"], out.ports);
    const std::string path = "agents." + name + ".";
    take_duration(path + "restarts_window", in["restarts_window"], out.restarts_window);
    take_duration(path + "start_timeout", in["start_timeout"], out.start_timeout);
    take_duration(path + "stop_timeout", in["stop_timeout"], out.stop_timeout);
    if (in["env"].is_map()) {
      for (const auto& [key, value] : in["env"].as_map())
        out.env.emplace(key, value.is_string() ? value.as_string() : to_json(value));
    }
    return out;
  }

  const config::Document& document_;
  std::vector<config::Mistake>& mistakes_;
};

void override_addresses(Fleet& fleet, const Addresses& addresses, std::vector<config::Mistake>& mistakes) {
  for (const auto& [name, address] : addresses) {
    const auto found =
        std::find_if(fleet.hosts.begin(), fleet.hosts.end(), [&](auto& host) { return host.name == name; });
    if (found != fleet.hosts.end()) {
      found->address = address;
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& host : fleet.hosts) known.push_back(host.name);
    config::Origin origin;
    origin.layer = "command line";
    origin.file = "--address " + name + "=" + address;
    mistakes.push_back({origin, "", "the fleet has no host '" + name + "'" + did_you_mean(name, known)});
  }
}

}  // namespace

const FleetHost* Fleet::host(std::string_view name) const noexcept {
  const auto found = std::find_if(hosts.begin(), hosts.end(), [&](const auto& host) { return host.name == name; });
  return found == hosts.end() ? nullptr : &*found;
}

const FleetAgent* Fleet::agent(std::string_view name) const noexcept {
  const auto found = std::find_if(agents.begin(), agents.end(), [&](const auto& agent) { return agent.name == name; });
  return found == agents.end() ? nullptr : &*found;
}

const FleetHost& Fleet::hub() const {
  return *std::find_if(hosts.begin(), hosts.end(), [](const auto& host) { return host.hub; });
}

std::vector<const FleetAgent*> Fleet::placed_on(std::string_view name) const {
  std::vector<const FleetAgent*> placed;
  for (const auto& agent : agents) {
    if (std::find(agent.on.begin(), agent.on.end(), name) != agent.on.end()) placed.push_back(&agent);
  }
  return placed;
}

Graph Fleet::graph_of(std::string_view name) const {
  Graph graph;
  const auto placed = placed_on(name);
  for (const auto* agent : placed) graph[agent->name];
  for (const auto* agent : placed) {
    for (const auto& need : agent->needs) {
      if (graph.contains(need)) graph[agent->name].push_back(need);
    }
  }
  return graph;
}

namespace {
FleetResult fleet_of(config::DocumentResult read, const std::string& name, const Addresses& addresses) {
  auto& [document, mistakes] = read;
  FleetResult result;
  result.mistakes = std::move(mistakes);
  if (!document.root.is_map()) {
    config::Origin origin;
    origin.file = name;
    if (result.mistakes.empty()) result.mistakes.push_back({origin, "", "wanted a map with 'hosts' and 'agents'"});
    return result;
  }
  result.fleet = Reader(document, result.mistakes).fleet();
  override_addresses(result.fleet, addresses, result.mistakes);
  check_fleet(document, result.fleet, result.mistakes);
  const auto place = [](const auto& a) { return std::tie(a.origin.line, a.origin.column, a.path, a.text); };
  std::sort(result.mistakes.begin(), result.mistakes.end(),
            [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return result;
}
}  // namespace

Result<void> add_address(Addresses& addresses, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return Error(codes::bad_usage, "--address wants HOST=ADDRESS, such as alpha=10.0.0.1, got '" + text + "'");
  addresses[text.substr(0, equals)] = text.substr(equals + 1);
  return {};
}

Result<Addresses> addresses_from(const std::vector<std::string>& texts) {
  Addresses addresses;
  for (const auto& text : texts) {
    if (auto added = add_address(addresses, text); !added) return added.error();
  }
  return addresses;
}

FleetResult parse_fleet(std::string_view yaml, const std::string& name, const Addresses& addresses) {
  return fleet_of(config::parse_document(yaml, name, std::string(config::built_in_schema("fleet"))), name, addresses);
}

FleetResult read_fleet(const std::string& file, const Addresses& addresses) {
  return fleet_of(config::load_document(file, "fleet"), file, addresses);
}

std::string endpoint(std::string_view address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string_view::npos;
  return "tcp://" + (v6 ? "[" + std::string(address) + "]" : std::string(address)) + ":" + std::to_string(port);
}

}  // namespace weft::node
