// PeerOptions: who a process is in the mesh, where it binds, and its limits.
#pragma once
#include <memory>
#include <string>

#include "weft/base/base.hpp"

namespace weft {
class Loop;
}
namespace weft::config {
class Config;
}
namespace weft::net {
class Context;
}
namespace weft::observe {
class Tracer;
}
namespace weft::policy {
class Policies;
}

namespace weft::peer {

struct Limits {
  std::size_t payload_max = 16 * 1024 * 1024;      ///< bytes of one payload
  std::size_t in_flight_max = 10'000;              ///< calls being handled; more are answered `queue_full`
  std::size_t pending_max = 100'000;               ///< calls waiting for an answer; more fail with `queue_full`
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  ///< waiting to be sent to one peer
  int socket_messages_max = 10'000;                ///< ZeroMQ high-water mark
};

struct PeerOptions : Identity {
  std::uint64_t claim = 0;            ///< to the slot; see InstanceRecord
  std::string address = "127.0.0.1";  ///< to bind, and to tell others
  std::uint16_t call_port = 0;        ///< 0: any
  std::uint16_t publish_port = 0;
  std::string run_directory;  ///< for ipc sockets; empty: none
  Limits limits;
  std::shared_ptr<const policy::Policies> policies;  ///< of calls, made and answered; null: the built-in defaults
  observe::Tracer* tracer = nullptr;                 ///< borrowed; null: calls make no spans here
};

/// From the sections mesh, host, limits and run of a checked configuration. `slot` is "<agent>@<host>" unless the
/// environment (WEFT_SLOT) says otherwise, its claim is WEFT_CLAIM.
PeerOptions options_from(const config::Config& config, const std::string& agent, const std::string& version);
/// `context`, whose connections are encrypted when section `security` says so. Call it before the first socket is made.
/// Where the section is wrong, every attempt to bind or connect fails with that error: `bad_config`, `missing_secret`.
net::Context& secured(net::Context& context, Loop& loop, const config::Config& config);

}  // namespace weft::peer
