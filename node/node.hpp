// The door of node: fleets, the processes of one host, what the node answers in the mesh. weft-node is its program.
#pragma once
#include "node/fleet.hpp"
#include "node/infrastructure.hpp"
#include "node/messages.hpp"
#include "node/places.hpp"
#include "node/supervisor.hpp"
#include "node/units.hpp"
