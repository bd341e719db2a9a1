// CommandLine: what the words after `weft` say, as understood against a tree of verbs.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cli/verb.hpp"
#include "weft/base/codes.hpp"
#include "weft/base/error.hpp"

namespace weft::cli {

struct CommandLine {
  std::vector<const Verb*> path;  ///< from the root to the innermost verb that was understood; borrows the tree
  bool asks_for_text = false;     ///< --help or --version: `help` is the answer
  std::string help;               ///< the text that was asked for, or the help of a group that was named without a verb
  std::optional<Error> mistake;   ///< `bad_usage` with the nearest known word

  const Verb& verb() const noexcept { return *path.back(); }
};

/// Writes what was given to where the options of `root` and its verbs point. `argv` begins with the program's name.
/// Options may stand before or after any verb. `version` is what --version prints.
CommandLine parse(const Verb& root, const std::string& version, int argc, const char* const* argv);

}  // namespace weft::cli
