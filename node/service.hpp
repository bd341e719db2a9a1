// The methods of agent "node".
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "node/supervisor.hpp"
#include "weft/mesh/mesh.hpp"

namespace weft::node {

/// The host that the node serves, its own log file, and the hosts of the fleet file.
struct ServedHost {
  std::string mesh, host, log;
  std::vector<std::string> fleet{};
};
/// What the methods do to the node itself.
struct NodeActions {
  std::function<void()> reopen_log;  ///< opens the node's own log file again where it was renamed
  std::function<void()> shut_down;   ///< called after the answer to node.shutdown is on its way
};

/// Borrows the first three.
void serve_node(mesh::Mesh& mesh, Supervisor& supervisor, Loop& loop, ServedHost host, NodeActions actions);

}  // namespace weft::node
