// How flags, environment and the program's own defaults become the configuration, and how often: at the start and at
// each HUP. Private to program.
#pragma once
#include "weft/program/flags.hpp"

namespace weft::program {

config::LoadOptions load_options(const Flags& flags, const About& about);
/// The variables of the environment whose names begin with `prefix`.
std::map<std::string, std::string> variables(std::string_view prefix);
observe::LogOptions log_options(const config::Config& config, const std::string& agent, const std::string& version);

}  // namespace weft::program
