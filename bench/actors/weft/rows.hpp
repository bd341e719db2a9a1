// The rows in Weft, and how they start a system.
#pragma once
#include <cstdint>

#include "bench/actors/side.hpp"
#include "weft/actor.hpp"

namespace weft::bench::actors {

double ping_pong(std::uint64_t n);
double one_way(std::uint64_t n);
double fan_in_100(std::uint64_t n);
double request_reply(std::uint64_t n);
double wake(std::uint64_t n);
double latency_loaded(std::uint64_t n);
double idle_cpu(std::uint64_t n);
double spawn(std::uint64_t n);
double first_answer(std::uint64_t n);
double memory_idle(std::uint64_t n);
double skynet_1m(std::uint64_t n);
double restart(std::uint64_t n);

/// `work(system, n)` after one with a tenth of `n` that warms up.
template <class Work>
double warmed(actor::ParallelOptions workers, std::uint64_t n, Work work) {
  actor::System system(actor::parallel(std::move(workers)));
  work(system, n / 10);
  return work(system, n);
}

/// As the mailboxes of the peers are.
inline actor::SpawnOptions unbounded(std::optional<unsigned> worker = {}) {
  return {.name = {}, .mailbox = {.capacity = 0}, .worker = worker};
}
inline actor::SpawnOptions on_worker(unsigned worker) { return {.name = {}, .mailbox = {}, .worker = worker}; }

}  // namespace weft::bench::actors
