// The door of node: fleets, and the processes of one host. weft-node is its program.
#pragma once
#include "node/fleet.hpp"
#include "node/supervisor.hpp"
