// What a process of the mesh shows of itself beyond what every Peer does: its ledger, its decisions, its records.
// Private to mesh.
#pragma once
#include "weft/mesh/directory.hpp"
#include "weft/mesh/names.hpp"
#include "weft/mesh/steering.hpp"
#include "weft/peer/peer.hpp"

namespace weft::mesh {

/// Serves _ledger, _why and _peers. Borrows all.
void serve_views(Peer& peer, const Directory& directory, Steering& steering);

/// The agent of "agent.method"; borrows from it. Errors: `bad_name`.
Result<std::string_view> agent_of(const std::string& target);

}  // namespace weft::mesh
