#include "bench/actors/side.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <thread>

namespace weft::bench::actors {

double cpu_percent(std::chrono::seconds window) {
  std::this_thread::sleep_for(std::chrono::milliseconds{1200});
  const double before = cpu_seconds();
  const auto start = Clock::now();
  std::this_thread::sleep_for(window);
  return 100 * (cpu_seconds() - before) / std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<int> cores(std::size_t count) {
  cpu_set_t all;
  std::vector<int> found;
  if (::sched_getaffinity(0, sizeof all, &all) != 0) CPU_ZERO(&all);
  for (int core = 0; core < CPU_SETSIZE && found.size() < count; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &all)) found.push_back(core);
  }
  found.resize(count, found.empty() ? 0 : found.back());
  return found;
}

void pin_thread(int core) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(core), &one);
  ::pthread_setaffinity_np(::pthread_self(), sizeof one, &one);
}

void Delays::add(Clock::duration delay) noexcept {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(delay).count();
  ++by_us_[std::clamp<std::int64_t>(us, 0, us_max)];
  ++count_;
}

double Delays::p99_us() const noexcept {
  std::uint64_t below = 0;
  std::size_t us = 0;
  while (us < us_max && (below += by_us_[us]) < count_ - count_ / 100) ++us;
  return static_cast<double>(us + 1);  // rounded up: 0 to 1 us is 1
}

int run_side(int argc, char** argv, std::span<const Row> rows) {
  const std::string_view name = argc == 3 ? argv[1] : "";
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.name == name; });
  if (row == rows.end()) {
    std::fprintf(stderr, "usage: %s ROW N; rows:", argv[0]);
    for (const auto& one : rows) std::fprintf(stderr, " %.*s", static_cast<int>(one.name.size()), one.name.data());
    std::fprintf(stderr, "\n");
    return 2;
  }
  std::fflush(stdout);
  const int out = ::dup(STDOUT_FILENO), null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (out < 0 || null < 0 || ::dup2(null, STDOUT_FILENO) < 0) return 1;
  try {
    ::dprintf(out, "%.6g\n", row->measure(std::strtoull(argv[2], nullptr, 10)));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s %s: %s\n", argv[0], argv[1], failure.what());
    return 1;
  }
  std::_Exit(0);  // what a side needs to tear a million actors down is not of interest
}

}  // namespace weft::bench::actors
