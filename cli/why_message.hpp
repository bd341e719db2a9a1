// weft why message: what became of a message, after the fact.
#pragma once
#include "cli/cli.hpp"

namespace weft::cli {

/// Adds the verb to the group `why`.
void add_why_message(CLI::App& why, Global& global);

}  // namespace weft::cli
