// The rows that CAF does, and how they start its actor system.
#pragma once
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <cstdint>
#include <future>

namespace weft::bench::actors {

double ping_pong(std::uint64_t n);
double one_way(std::uint64_t n);
double fan_in_100(std::uint64_t n);
double request_reply(std::uint64_t n);
double latency_loaded(std::uint64_t n);
double idle_cpu(std::uint64_t n);
double spawn(std::uint64_t n);
double first_answer(std::uint64_t n);
double memory_idle(std::uint64_t n);
double skynet_1m(std::uint64_t n);
double restart(std::uint64_t n);

struct Config : caf::actor_system_config {
  explicit Config(std::size_t workers) { set("scheduler.max-threads", workers); }
};

/// `work(system, n)` after one with a tenth of `n` that warms up.
template <class Work>
double warmed(std::size_t workers, std::uint64_t n, Work work) {
  Config config(workers);
  caf::actor_system system(config);
  work(system, n / 10);
  return work(system, n);
}

}  // namespace weft::bench::actors
