// Removes the socket files of processes that were killed, which nothing else removes. Private to peer.
#pragma once
#include <string>

namespace weft::peer {

/// Removes the sockets (*.c, *.p) in `directory` that nobody listens on any more. Those younger than ten seconds stay:
/// their process may be between bind and listen.
void remove_dead_sockets(const std::string& directory) noexcept;

}  // namespace weft::peer
