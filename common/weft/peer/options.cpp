#include "weft/peer/options.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "weft/base/base.hpp"
#include "weft/config/config.hpp"
#include "weft/net/net.hpp"
#include "weft/policy/policy.hpp"

namespace weft::peer {
namespace {

struct ServerKey {
  std::string endpoint, key;
  WEFT_FIELDS(ServerKey, endpoint, key)
};

Result<net::SecurityOptions> security_from(const config::Config& config) {
  net::SecurityOptions options;
  auto secret = config.secret("security.secret_key");
  if (!secret) return secret.error();
  options.secret_key = std::move(*secret);
  options.known_keys = config.get<std::map<std::string, std::string>>("security.known_keys");
  for (auto& server : config.get<std::vector<ServerKey>>("security.servers")) {
    const auto key = options.known_keys.find(server.key);
    if (key == options.known_keys.end()) {
      return Error(codes::bad_config, "security.servers: '" + server.key + "' at " + server.endpoint +
                                          " is no name in security.known_keys");
    }
    options.servers.emplace(std::move(server.endpoint), key->second);
  }
  return options;
}

/// 0 for what is no number: this process was not started by a node.
std::uint64_t claim_from(const char* text) {
  std::uint64_t claim = 0;
  if (text) std::from_chars(text, text + std::strlen(text), claim);
  return claim;
}

}  // namespace

net::Context& secured(net::Context& context, Loop& loop, const config::Config& config) {
  if (config.get<std::string>("security.secret_key").empty()) return context;
  auto options = security_from(config);
  if (!options) {
    context.refuse(std::move(options.error()));
  } else if (auto done = context.secure(loop, std::move(*options)); !done) {
    context.refuse(std::move(done.error()));
  }
  return context;
}

PeerOptions options_from(const config::Config& config, const std::string& agent, const std::string& version) {
  PeerOptions peer;
  peer.mesh = config.get<std::string>("mesh.name");
  peer.host = config.get<std::string>("host.name");
  peer.address = config.get<std::string>("host.address");
  peer.agent = agent;
  peer.version = version;
  const char* slot = std::getenv("WEFT_SLOT");
  peer.slot = slot && *slot ? slot : agent + "@" + peer.host;
  peer.claim = claim_from(std::getenv("WEFT_CLAIM"));
  peer.run_directory = config.get<std::string>("run.directory");
  peer.limits.payload_max = config.get<std::size_t>("limits.payload_max_bytes");
  peer.limits.in_flight_max = config.get<std::size_t>("limits.in_flight_max");
  peer.limits.pending_max = config.get<std::size_t>("limits.pending_max");
  peer.limits.queue_bytes_max = config.get<std::size_t>("limits.queue_max_bytes");
  peer.limits.socket_messages_max = config.get<int>("limits.socket_messages_max");
  peer.policies = policy::policies_from(config);
  return peer;
}

}  // namespace weft::peer
