// The fleet file: which agents run on which hosts, with which needs and policies. Reading and checking; pure but for
// read_fleet(), which reads one file.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/plan.hpp"
#include "node/restart.hpp"
#include "weft/base/base.hpp"
#include "weft/config/config.hpp"

namespace weft::node {

struct FleetHost {
  std::string name;
  std::string address;  ///< IPv4, IPv6 without brackets, or a name: what its processes bind and tell
  bool hub = false;     ///< errors of all hosts come together on its error bus
};

struct FleetAgent {
  std::string name;
  std::vector<std::string> on;     ///< hosts
  std::vector<std::string> needs;  ///< agents that must be ready before it starts, where they run on the same host
  std::string program;             ///< "weft-<name>", a name to search, or a path relative to the fleet file
  std::vector<std::string> args;
  std::string cwd;  ///< its working folder, relative to that of the fleet file; empty: that one
  std::map<std::string, std::string> env;
  std::map<std::string, Value> config;  ///< its section `agent`
  Restart restart = Restart::permanent;
  int restarts_max = 5;
  Duration restarts_window = std::chrono::seconds(60);
  Duration start_timeout = std::chrono::seconds(10);
  Duration stop_timeout = std::chrono::seconds(5);
  std::vector<std::uint16_t> ports;  ///< fixed ports that it opens; checked for clashes
};

/// Lists are in the order of the file. A value.
struct Fleet {
  std::string mesh = "weft";
  std::string environment;  ///< "" or the name of a file in config/env/
  std::vector<FleetHost> hosts;
  std::vector<FleetAgent> agents;

  const FleetHost* host(std::string_view name) const noexcept;
  const FleetAgent* agent(std::string_view name) const noexcept;
  const FleetHost& hub() const;  ///< a checked fleet has one
  std::vector<const FleetAgent*> placed_on(std::string_view host) const;
  /// What runs on `host`: each agent with those of its needs that run there too.
  Graph graph_of(std::string_view host) const;
};

struct FleetResult {
  Fleet fleet;
  std::vector<config::Mistake> mistakes;  ///< in order of line; none: the fleet can start
};
/// `addresses`: host -> address, over the file's.
using Addresses = std::map<std::string, std::string>;
/// Adds "HOST=ADDRESS", as --address says it. Errors: `bad_usage`.
Result<void> add_address(Addresses& addresses, const std::string& text);
Result<Addresses> addresses_from(const std::vector<std::string>& texts);
/// `name` stands for the file in messages.
FleetResult parse_fleet(std::string_view yaml, const std::string& name, const Addresses& addresses = {});
/// Errors (in the result): a file that cannot be read, YAML and schema mistakes, and what check_fleet() finds.
FleetResult read_fleet(const std::string& file, const Addresses& addresses = {});

/// "tcp://127.0.0.1:7411", "tcp://[::1]:7411".
std::string endpoint(std::string_view address, std::uint16_t port);

}  // namespace weft::node
