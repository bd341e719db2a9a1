// From a fleet to what is run on one host: programs, arguments, environment, order. Pure but for looking for programs.
#pragma once
#include <string>
#include <vector>

#include "node/child.hpp"
#include "node/fleet.hpp"
#include "node/infrastructure.hpp"
#include "node/places.hpp"

namespace weft::node {

/// What a host's node knows besides the fleet.
struct HostSettings {
  std::string host;
  std::string config_directory;  ///< absolute; may be empty
  std::string environment;
  std::string fleet_folder;  ///< relative program paths start here
  std::uint16_t registry_port = kRegistry.call_port, bus_port = kErrorBus.call_port;
  std::vector<std::string> inherited;  ///< "NAME=value" of the node itself
};

/// A unit and its place among those of the node.
struct PlacedUnit {
  Unit unit;
  bool infrastructure = false;  ///< registry and error bus: first up, last down
  std::string fingerprint;      ///< of program and all that it is told; changes when the fleet changes
};

/// The settings that hold for every process of `host`, the node included: names, addresses, peers, hub, folders.
/// As variables: {"WEFT__HOST__ADDRESS", "10.0.0.1"}.
std::vector<std::pair<std::string, std::string>> host_variables(const Fleet& fleet, const HostSettings& settings,
                                                                const Places& places);

/// Registry, error bus, then the agents of this host in an order that suits Supervisor::add().
/// Errors: `start_failed` for programs and working folders that do not exist; names every one.
Result<std::vector<PlacedUnit>> units_of(const Fleet& fleet, const HostSettings& settings, const Places& places);

/// Adds a mistake for each agent of `host` whose program is not on this machine. `file` is the fleet file.
void check_programs(const std::string& file, const Fleet& fleet, const std::string& host,
                    std::vector<config::Mistake>& mistakes);

/// Needs that are not waited for, because they run on other hosts only: "digest needs sysmon, which runs on beta".
std::vector<std::string> remote_needs(const Fleet& fleet, const std::string& host);

}  // namespace weft::node
