// A fleet file together with the configuration that each of its processes will get. No output, no process is started.
#pragma once
#include <string>
#include <vector>

#include "weft/config/config.hpp"

namespace weft::cli {

/// Mistakes of the fleet file, then of the configuration of each host and of each agent on it, each once. What a fleet
/// says in `config:` of an agent is told at its place in the fleet file. `options` gives the directory, variables and
/// --set; its environment goes before the fleet's. `host`: only this one; empty: all.
std::vector<config::Mistake> check_fleet_config(const std::string& file, config::LoadOptions options,
                                                const std::string& host = {});
/// The variables of this process that are configuration, for LoadOptions::variables.
std::vector<std::pair<std::string, std::string>> config_variables();

}  // namespace weft::cli
