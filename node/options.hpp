// The command line of weft-node. `weft up` has the same flags and hands them over.
#pragma once
#include <string>
#include <vector>

#include "node/fleet.hpp"
#include "weft/base/base.hpp"

namespace weft::node {

struct NodeOptions {
  std::string fleet, host, state, run, environment, config_directory;
  Addresses addresses;
  bool progress = false;  ///< shows the start on stdout; the log goes to a file then
  bool detach = false;    ///< goes to the background, and returns when everything is ready or has failed
  bool json = false;      ///< with progress: one document instead of lines
  bool help = false;
  std::vector<std::string> rest;  ///< what every Weft program knows
};

/// `--flag value` and `--flag=value`. Errors: `bad_usage`.
Result<NodeOptions> parse_options(const std::vector<std::string>& arguments);

/// Which host of the fleet this is: what was said, WEFT_HOST, the only one, or the one named as this machine.
/// Errors: `bad_usage`.
Result<std::string> choose_host(const Fleet& fleet, const std::string& said, const std::string& machine);

}  // namespace weft::node
