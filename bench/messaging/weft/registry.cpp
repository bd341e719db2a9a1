// The registry of the Weft side: registry::Registry in a process of its own, in memory, on a free port, for the row
// that is named; prints its endpoint.
#include <cstdio>

#include "bench/messaging/side.hpp"
#include "bench/messaging/weft/process.hpp"
#include "registry/registry.hpp"

int main(int argc, char** argv) {
  using namespace weft;
  bench::messaging::Process process(argc == 2 && bench::messaging::row_named(argv[1]).curve);
  observe::Metrics metrics;
  observe::LogOptions quiet;
  quiet.level = observe::Level::error;
  observe::Log log{quiet};
  observe::Health health;
  Random random = Random::from_os();
  registry::Options options;
  options.peer.mesh = "bench";
  options.peer.host = "middle";
  options.peer.agent = "registry";
  options.peer.version = "0.0.0";
  options.peer.slot = "registry@middle";
  options.peer.instance = Ulid::make(SystemClock().wall(), random);
  const auto open_store = []() -> Result<store::Opened> { return store::Opened{store::open_memory(), {}}; };
  registry::Registry registry(process.loop, process.context, options, open_store, random, metrics, log, health);
  if (auto started = registry.start(); !started) {
    std::fprintf(stderr, "bench: the registry cannot start: %s\n", started.error().describe().c_str());
    return 1;
  }
  std::printf("%s\n", registry.peer().record().call_endpoint.c_str());
  std::fflush(stdout);
  process.run_until_told();
  return 0;
}
