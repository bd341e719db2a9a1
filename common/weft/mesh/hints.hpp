// Hints: the nearest topic that somebody publishes, for a pattern that nobody's topics match. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::mesh {

/// What the subscriber may have meant: `sensor.*` for `sensr.*` where `sensor.temp` is published. None: a topic
/// matches, or none is near.
std::optional<std::string> nearest_topic(const TopicPattern& pattern, const std::vector<std::string>& published);

}  // namespace weft::mesh
