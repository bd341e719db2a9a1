// From a command line to what a node needs to run: the fleet, its host, folders, processes. Says itself what is wrong.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "node/options.hpp"
#include "node/places.hpp"
#include "node/units.hpp"

namespace weft::node {

struct Prepared {
  NodeOptions options;
  Fleet fleet;
  HostSettings settings;
  Places places;
  std::vector<PlacedUnit> units;

  const FleetHost& host() const { return *fleet.host(settings.host); }
};

/// The exit code comes back instead when the start is impossible; stderr says why.
std::variant<Prepared, int> prepare(NodeOptions options);

/// What command-line tools get to know; `http` is the address of the registry's admin door, empty before it is up.
Context context_of(const Prepared& prepared, const std::string& http);

/// Puts the settings of this host into the environment, for the node itself, and its claim to its own slot.
void enter_environment(const Prepared& prepared, std::uint64_t claim);

/// Whether `port` of `address` can be had. Errors: `port_taken`, `bad_address` (not an address of this machine).
Result<void> port_free(const std::string& address, std::uint16_t port);

}  // namespace weft::node
