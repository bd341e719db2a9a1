// Metrics of an agent's actors: sums, and single actors where the configuration names them. Private to agent.
#pragma once
#include <string>
#include <vector>

#include "weft/actor/actor.hpp"
#include "weft/agent/error_bus_monitor.hpp"
#include "weft/observe/observe.hpp"

namespace weft {

/// Read at each scrape. `names`: of actors with series of their own. Borrows all.
void export_actor_metrics(observe::Metrics& metrics, const actor::System& system, const ErrorBusMonitor& monitor,
                          std::vector<std::string> names);

}  // namespace weft
