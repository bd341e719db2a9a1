// weft why message: what became of a message, after the fact.
#pragma once
#include "cli/cli.hpp"

namespace weft::cli {

/// The verb `message` of the group `why`.
Verb why_message_verb();

}  // namespace weft::cli
