// The methods of agent "node".
#pragma once
#include <functional>
#include <string>

#include "node/supervisor.hpp"
#include "weft/mesh/mesh.hpp"

namespace weft::node {

/// Borrows all; `own_log` is the node's own log file; `shut_down` is called after the answer to node.shutdown is on its
/// way.
void serve_node(mesh::Mesh& mesh, Supervisor& supervisor, Loop& loop, const std::string& mesh_name,
                const std::string& host, const std::string& own_log, std::function<void()> shut_down);

}  // namespace weft::node
