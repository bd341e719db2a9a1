// <weft/actor.hpp>: actors, alone or in an agent. See actor/actor.hpp and docs/actors.md.
#pragma once
#include "weft/actor/actor.hpp"  // IWYU pragma: export
