// Precompiled for the command: CLI11 alone takes four seconds.
#include <CLI/CLI.hpp>

#include "weft/mesh/mesh.hpp"
