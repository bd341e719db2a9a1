// What a schema cannot say about a fleet: names, places, needs, cycles, ports, the hub. Pure.
#pragma once
#include "node/fleet.hpp"

namespace weft::node {

/// Where `path` stands; for a path without a place of its own, where its parent does.
config::Origin origin_of(const config::Document& document, std::string path);

/// Adds every mistake of `fleet`, which was read from `document`. Makes the first host the hub when none is named.
void check_fleet(const config::Document& document, Fleet& fleet, std::vector<config::Mistake>& mistakes);

}  // namespace weft::node
