// <weft/agent.hpp>: the SDK. See agent/agent.hpp.
#pragma once
#include "weft/agent/agent.hpp"  // IWYU pragma: export
