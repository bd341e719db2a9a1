// The rows of the actor benchmark in Weft's own runtime.
#include "bench/actors/weft/rows.hpp"

int main(int argc, char** argv) {
  using namespace weft::bench::actors;
  constexpr Row rows[] = {
      {"ping_pong", ping_pong}, {"one_way", one_way},           {"fan_in_100", fan_in_100},
      {"spawn", spawn},         {"first_answer", first_answer}, {"request_reply", request_reply},
      {"skynet_1m", skynet_1m}, {"memory_idle", memory_idle},   {"latency_loaded", latency_loaded},
      {"restart", restart},     {"idle_cpu", idle_cpu},         {"wake", wake},
  };
  return run_side(argc, argv, rows);
}
