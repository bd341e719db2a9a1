// Hedge: a call that is sent a second time when its answer is late; the first answer counts. Private to mesh.
#pragma once
#include <functional>

#include "weft/wire/payload.hpp"

namespace weft::mesh {

using wire::Payload;

/// `lap` makes the call; `may` says, when `after` has passed, whether it goes a second time. The one that is not needed
/// any more is destroyed, which tells its callee. When the first fails while the second runs, the second counts.
Task<Result<Payload>> hedged(Loop& loop, Duration after, std::function<Task<Result<Payload>>()> lap,
                             std::function<bool()> may);

}  // namespace weft::mesh
