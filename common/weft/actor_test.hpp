// <weft/actor_test.hpp>: for tests of actors. See actor/testing.hpp.
#pragma once
#include "weft/actor/testing.hpp"  // IWYU pragma: export
