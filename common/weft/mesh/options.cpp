#include "weft/mesh/options.hpp"

#include "weft/base/base.hpp"
#include "weft/config/config.hpp"

namespace weft::mesh {

MeshOptions options_from(const config::Config& config, const std::string& agent, const std::string& version) {
  MeshOptions options;
  options.peer = peer::options_from(config, agent, version);
  options.registries = config.get<std::vector<std::string>>("registry.addresses");
  options.error_bus = config.get<std::string>("errorbus.address");
  if (const auto state = config.get<std::string>("state.directory"); !state.empty()) {
    options.spool_file = state + "/spool/" + options.peer.slot + ".events";
  }
  options.config_hash = config.hash();
  return options;
}

}  // namespace weft::mesh
