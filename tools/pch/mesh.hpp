// Precompiled for the rooms that take part in a mesh.
#include <algorithm>

#include "weft/mesh/mesh.hpp"
