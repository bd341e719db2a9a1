// Precompiled for the suites.
#include "tests/support/catch.hpp"
#include "weft/base/base.hpp"
