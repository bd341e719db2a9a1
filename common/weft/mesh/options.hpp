// MeshOptions: how a process takes part in a mesh, and how that is read from a checked configuration.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/peer/options.hpp"

namespace weft::config {
class Config;
}

namespace weft::mesh {

struct MeshOptions {
  peer::PeerOptions peer;
  std::vector<std::string> registries;  ///< call endpoints, the local host's first
  std::string error_bus;                ///< call endpoint of the local host's bus; empty: found in the directory
  std::string spool_file;               ///< where unsent error events wait; empty: in memory only
  std::map<std::string, std::string> tags;
  std::string admin;  ///< address of the admin door, for the record
  std::string config_hash;
  bool join = true;           ///< false: only looks (command-line tools)
  bool report_errors = true;  ///< false for the bus itself
  /// This process holds a lock that makes the slot its own (a node): an instance that is registered in the slot instead
  /// is deregistered, and this process registers again.
  bool owns_slot = false;
};
/// From the sections mesh, host, registry, errorbus, limits, run, state of a checked configuration. `slot` is filled as
/// "<agent>@<host>" unless the environment (WEFT_SLOT) says otherwise, its claim by WEFT_CLAIM.
MeshOptions options_from(const config::Config& config, const std::string& agent, const std::string& version);

}  // namespace weft::mesh
