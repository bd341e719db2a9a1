// Socket files of processes that were killed: nobody else removes them. Private to mesh.
#pragma once
#include <string>

namespace weft::mesh {

/// Removes the sockets (*.c, *.p) in `directory` that nobody listens on any more. Those younger than ten seconds stay:
/// their process may be between bind and listen.
void remove_dead_sockets(const std::string& directory) noexcept;

}  // namespace weft::mesh
