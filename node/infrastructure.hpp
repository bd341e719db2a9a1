// What a host runs besides its fleet's agents: each daemon is one row here. Its program is weft-<name>, and its ports
// are configured as <name>.port and <name>.publish_port.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::node {

struct Service {
  std::string_view name, title;                       ///< of the agent, and for messages
  std::uint16_t call_port, publish_port, admin_port;  ///< defaults; 0: it has none
};
inline constexpr Service kNode{"node", "node", 0, 0, 7400};
inline constexpr Service kRegistry{"registry", "registry", 7411, 7412, 7410};
inline constexpr Service kErrorBus{"errorbus", "error bus", 7421, 0, 7420};

/// What the node starts first and stops last, in this order: each needs those before it, agents need all.
inline constexpr std::array kInfrastructure{kRegistry, kErrorBus};

/// All that runs on every host by itself, so that no agent can have its name or ports.
inline constexpr std::array kServices{kNode, kRegistry, kErrorBus};

inline std::vector<std::string> infrastructure_names() {
  std::vector<std::string> names;
  for (const auto& service : kInfrastructure) names.emplace_back(service.name);
  return names;
}

}  // namespace weft::node
