// A process of the mesh as an agent's is: loop, ZeroMQ context, and a mesh::Mesh that registers and looks others up.
#pragma once
#include <chrono>
#include <stdexcept>
#include <string>

#include "weft/io/io.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"
#include "weft/peer/peer.hpp"

namespace weft::bench::messaging {

struct Place {
  std::string host = "here";
  std::string address = "127.0.0.1";
  std::string run_directory;  ///< for ipc; empty: none
};

/// One agent. Several may share a loop and a context; in reality each is a process.
struct Member {
  Member(io::IoLoop& loop, net::Context& context, const std::string& agent, const std::string& registry, Place place);
  observe::Metrics metrics;
  observe::Log log;
  observe::Health health;
  mesh::Mesh mesh;
};

/// A process that is called by its address and does not register: it may bind every address of its host.
struct Unregistered {
  Unregistered(io::IoLoop& loop, net::Context& context, const std::string& agent, Place place);
  observe::Metrics metrics;
  observe::Log log;
  peer::Peer peer;
};

struct Process {
  /// With `curve`, everybody has the same pair of keys, and knows it; so has the registry, where one is named.
  explicit Process(bool curve = false, const std::string& registry = "");
  io::IoLoop loop;
  net::Context context;
  TaskScope tasks;

  /// Runs the loop until `task` is done, and throws what it threw.
  void run(Task<void> task);
  /// Runs it until SIGTERM.
  void run_until_told();
};

/// Starts `member` and waits until it is registered and sees an instance of `other` (empty: of nobody).
Task<void> join(Process& process, Member& member, std::string other);

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().describe());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace weft::bench::messaging
