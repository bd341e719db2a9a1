// What to say when a command line is wrong: who, what, and the nearest word that is known.
#pragma once
#include <string>
#include <vector>

#include "cli/verb.hpp"

namespace weft::cli {

/// From the root to a verb.
using Path = std::vector<const Verb*>;

/// "weft errors ack"
std::string path_of(const Path& path);
/// What is wrong with `word`, which the verb at the end of `path` does not know.
std::string unknown_word(const Path& path, const std::string& word);
/// True when the command line, which was not understood, asks for JSON.
bool asks_for_json(int argc, const char* const* argv);
/// The long flags (with dashes) known to the verb at the end of `path`: its own and those of all above it.
std::vector<std::string> flags_of(const Path& path);
/// The names and aliases of the verbs directly below `verb`.
std::vector<std::string> verbs_of(const Verb& verb);

}  // namespace weft::cli
