// The schemas that are part of the program: "weft" (every layer) and "fleet" (fleet files). Private to config.
#pragma once
#include <string_view>

#include "weft/config/schema.hpp"

namespace weft::config {

/// Parsed at first use; the program does not start with a broken one (a test says so).
const Schema& core_schema();

}  // namespace weft::config
