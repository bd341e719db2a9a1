#include "node/fleet_check.hpp"

#include <algorithm>
#include <set>

#include "node/infrastructure.hpp"

namespace weft::node {
namespace {

bool is_service(std::string_view name) {
  return std::any_of(kServices.begin(), kServices.end(), [&](const Service& one) { return one.name == name; });
}

std::string place_of(const config::Origin& origin) { return origin.where(); }

class Checker {
 public:
  Checker(const config::Document& document, Fleet& fleet, std::vector<config::Mistake>& mistakes)
      : document_(document), fleet_(fleet), mistakes_(mistakes) {
    for (const auto& host : fleet_.hosts) host_names_.push_back(host.name);
    for (const auto& agent : fleet_.agents) agent_names_.push_back(agent.name);
  }

  void run() {
    check_names();
    check_addresses();
    check_hub();
    for (const auto& agent : fleet_.agents) check_places(agent);
    for (const auto& agent : fleet_.agents) check_needs(agent);
    check_cycles();
    check_ports();
  }

 private:
  void tell(const std::string& path, std::string text) {
    mistakes_.push_back({origin_of(document_, path), path, std::move(text)});
  }
  void name(const std::string& path, std::string_view what, const std::string& text) {
    if (auto fine = check_name(what, text); !fine) tell(path, fine.error().message);
  }

  void check_names() {
    name("mesh", "mesh name", fleet_.mesh);
    for (const auto& host : fleet_.hosts) name("hosts." + host.name, "host name", host.name);
    for (const auto& agent : fleet_.agents) {
      const auto path = "agents." + agent.name;
      name(path, "agent name", agent.name);
      if (is_service(agent.name)) tell(path, "'" + agent.name + "' runs on every host by itself: leave it out");
    }
  }

  void check_addresses() {
    std::map<std::string, const FleetHost*> seen;
    for (const auto& host : fleet_.hosts) {
      const auto path = "hosts." + host.name + ".address";
      const bool odd = host.address.empty() || host.address.find_first_of(" /[]") != std::string::npos ||
                       std::count(host.address.begin(), host.address.end(), ':') == 1;
      if (odd) tell(path, "wanted an address without a port, such as 10.0.0.1, got '" + host.address + "'");
      const auto [first, fresh] = seen.emplace(host.address, &host);
      if (fresh) continue;
      const auto other = origin_of(document_, "hosts." + first->second->name + ".address");
      tell(path, "hosts '" + first->second->name + "' and '" + host.name + "' have one address, " + host.address +
                     " (the other: " + place_of(other) + "); each needs its own, for each opens the same ports");
    }
  }

  void check_hub() {
    FleetHost* first = nullptr;
    for (auto& host : fleet_.hosts) {
      if (!host.hub) continue;
      if (!first) {
        first = &host;
        continue;
      }
      tell("hosts." + host.name + ".hub", "a second hub; the first is '" + first->name + "' at " +
                                              place_of(origin_of(document_, "hosts." + first->name + ".hub")));
    }
    if (!first && !fleet_.hosts.empty()) fleet_.hosts.front().hub = true;
  }

  void check_list(const std::string& path, const std::vector<std::string>& list, std::string_view what,
                  const std::vector<std::string_view>& known) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto at = path + "[" + std::to_string(i) + "]";
      if (std::find(known.begin(), known.end(), list[i]) == known.end()) {
        tell(at,
             "there is no " + std::string(what) + " '" + list[i] + "' in this fleet" + did_you_mean(list[i], known));
      } else if (!seen.insert(list[i]).second) {
        tell(at, "'" + list[i] + "' is named twice");
      }
    }
  }
  void check_places(const FleetAgent& agent) {
    const auto path = "agents." + agent.name + ".on";
    check_list(path, agent.on, "host", host_names_);
  }
  void check_needs(const FleetAgent& agent) {
    check_list("agents." + agent.name + ".needs", agent.needs, "agent", agent_names_);
  }

  void check_cycles() {
    Graph graph;
    for (const auto& agent : fleet_.agents) graph[agent.name];
    for (const auto& agent : fleet_.agents) {
      for (const auto& need : agent.needs) {
        if (graph.contains(need)) graph[agent.name].push_back(need);
      }
    }
    for (const auto& cycle : cycles(graph)) {
      tell("agents." + cycle.front() + ".needs",
           "these agents wait for each other, so none can start: " + cycle_text(cycle) +
               "; take one of these needs away (" + std::string(codes::fleet_cycle.id) + ")");
    }
  }

  void check_ports() {
    std::set<std::string> told;  // one line for a pair of places, not one for each host
    for (const auto& host : fleet_.hosts) {
      std::map<std::uint16_t, std::string> owner;  // port -> who, where
      for (const auto& service : kServices) own_ports(service, owner);
      for (const auto* agent : fleet_.placed_on(host.name)) {
        for (std::size_t i = 0; i < agent->ports.size(); ++i) check_port(host, *agent, i, owner, told);
      }
    }
  }
  static void own_ports(const Service& service, std::map<std::uint16_t, std::string>& owner) {
    const auto own = [&](std::uint16_t port, const char* use) {
      if (port != 0) owner.emplace(port, "the " + std::string(service.title) + use + " of each host");
    };
    own(service.call_port, "");
    own(service.publish_port, "'s publications");
    own(service.admin_port, "'s admin door");
  }
  void check_port(const FleetHost& host, const FleetAgent& agent, std::size_t i,
                  std::map<std::uint16_t, std::string>& owner, std::set<std::string>& told) {
    const auto path = "agents." + agent.name + ".ports[" + std::to_string(i) + "]";
    const auto who = "'" + agent.name + "' at " + place_of(origin_of(document_, path));
    const auto [first, fresh] = owner.emplace(agent.ports[i], who);
    if (fresh || !told.insert(first->second + "|" + who).second) return;
    tell(path, "port " + std::to_string(agent.ports[i]) + " is used twice on host '" + host.name + "': by " +
                   first->second + " and by '" + agent.name + "' here");
  }

  const config::Document& document_;
  Fleet& fleet_;
  std::vector<config::Mistake>& mistakes_;
  std::vector<std::string_view> host_names_, agent_names_;
};

}  // namespace

config::Origin origin_of(const config::Document& document, std::string path) {
  while (true) {
    if (const auto found = document.origins.find(path); found != document.origins.end()) return found->second;
    const auto cut = path.find_last_of(".[");
    if (cut == std::string::npos) break;
    path.resize(cut);
  }
  const auto root = document.origins.find("");
  return root == document.origins.end() ? config::Origin{} : root->second;
}

void check_fleet(const config::Document& document, Fleet& fleet, std::vector<config::Mistake>& mistakes) {
  Checker(document, fleet, mistakes).run();
}

}  // namespace weft::node
