// A call from its first attempt to its last, hedged or not, as the policy of its target says. Private to mesh.
#pragma once
#include "weft/mesh/steering.hpp"

namespace weft::mesh {

/// What calls are made with. Borrowed.
struct CallTools {
  Loop& loop;
  Caller& caller;
  Steering& steering;
};
Task<Result<Payload>> make_call(CallTools tools, std::shared_ptr<TargetState> target, Payload&& payload,
                                CallOptions&& options);
Task<Result<Payload>> failed_call(Error error);

}  // namespace weft::mesh
