// Identity: the names under which a process takes part in a mesh. A value.
#pragma once
#include <string>

#include "weft/base/ulid.hpp"

namespace weft {

struct Identity {
  std::string mesh, host, agent, version;
  std::string slot;  ///< "sysmon@alpha": the place that the instance fills
  Ulid instance;     ///< new at each start of the process
};

}  // namespace weft
