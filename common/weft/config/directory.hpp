// Where configuration lies. Private to config.
#pragma once
#include "weft/config/config.hpp"

namespace weft::config {

/// <prefix>/share/weft/config of the program that runs; it need not exist.
std::string shipped_directory();

}  // namespace weft::config
