// <weft/replica.hpp>: replicated maps, for agents. See replica/replica.hpp.
#pragma once
#include "weft/replica/replica.hpp"  // IWYU pragma: export
