#include <atomic>
#include <fstream>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/run_task.hpp"

using namespace weft;
using test::run_task;

namespace {
int threads_of_this_process() {
  std::ifstream status("/proc/self/status");
  std::string word;
  int count = 0;
  while (status >> word) {
    if (word == "Threads:") status >> count;
  }
  return count;
}
}  // namespace

TEST_CASE("offloaded work runs on another thread, and its result comes back on the loop") {
  io::IoLoop loop;
  io::Pool pool(loop, 2);
  const auto ran_on = run_task(loop, io::offload(pool, [] { return std::this_thread::get_id(); }));
  CHECK(ran_on != std::this_thread::get_id());
}

TEST_CASE("an exception of offloaded work comes out of the co_await") {
  io::IoLoop loop;
  io::Pool pool(loop, 1);
  CHECK_THROWS_WITH(run_task(loop, io::offload(pool, []() -> int { throw std::runtime_error("no luck"); })), "no luck");
}

TEST_CASE("a pool without work has no threads") {
  io::IoLoop loop;
  const int before = threads_of_this_process();
  io::Pool pool(loop, 4);
  CHECK(threads_of_this_process() == before);
  run_task(loop, io::offload(pool, [] { return 1; }));
  CHECK(threads_of_this_process() == before + 1);
}

TEST_CASE("a pool runs at most as many at once as it has threads") {
  io::IoLoop loop;
  std::atomic<int> running = 0, most = 0, left = 200;
  io::Pool pool(loop, 3);
  for (int i = 0; i < 200; ++i) {
    pool.submit([&] {
      const int now = ++running;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --running;
      if (--left == 0) loop.stop();
    });
  }
  loop.run();
  CHECK(most <= 3);
  CHECK(left == 0);
}

TEST_CASE("a pool that goes waits for what runs and drops what waits") {
  io::IoLoop loop;
  std::atomic<bool> started = false, finished = false, dropped = true;
  {
    io::Pool pool(loop, 1);
    pool.submit([&] {
      started = true;
      while (!finished) std::this_thread::yield();
    });
    while (!started) std::this_thread::yield();
    pool.submit([&] { dropped = false; });
    finished = true;
  }
  CHECK((finished && started));
}
