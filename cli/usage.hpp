// What to say when a command line is wrong: who, what, and the nearest word that is known.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace weft::cli {

/// "weft errors ack"
std::string path_of(const CLI::App& app);
/// One line for a person. `where` is the innermost verb that was understood.
std::string usage_message(const CLI::App& where, const CLI::ParseError& problem);
/// True when the command line, which was not understood, asks for JSON.
bool asks_for_json(int argc, const char* const* argv);
/// The long flags (with dashes) known at `app` or above it.
std::vector<std::string> flags_of(const CLI::App& app);
/// The names of verbs directly below `app`.
std::vector<std::string> verbs_of(const CLI::App& app);

}  // namespace weft::cli
