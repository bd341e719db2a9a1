// What an agent answers to <agent>._tree. Private to agent.
#pragma once
#include "weft/actor/actor.hpp"
#include "weft/agent/tree.hpp"

namespace weft {

TreeReply tree_of(const actor::System& system, std::uint64_t limit);

}  // namespace weft
