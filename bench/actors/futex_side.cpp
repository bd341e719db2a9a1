// The lower bound of a wake: two threads, each on a core of its own, that wake each other by raw futex.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "bench/actors/side.hpp"

namespace weft::bench::actors {

namespace {

/// A word that one thread sleeps on and the other sets.
class Bell {
 public:
  void ring() {
    word_.store(1, std::memory_order_release);
    call(FUTEX_WAKE_PRIVATE, 1);
  }
  void wait() {
    while (word_.exchange(0, std::memory_order_acquire) == 0) call(FUTEX_WAIT_PRIVATE, 0);
  }

 private:
  void call(int what, std::uint32_t value) {
    ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word_), what, value, nullptr, nullptr, 0);
  }
  alignas(64) std::atomic<std::uint32_t> word_{0};
};

double wake(std::uint64_t n) {
  Bell there, back;
  const auto two = cores(2);
  std::thread other([&] {
    pin_thread(two[1]);
    for (std::uint64_t i = 0; i < n + n / 10; ++i) {
      there.wait();
      back.ring();
    }
  });
  pin_thread(two[0]);
  std::vector<double> times_us;
  for (std::uint64_t i = 0; i < n + n / 10; ++i) {
    std::this_thread::sleep_for(wake_pause);  // both sleep before each round trip
    const auto start = Clock::now();
    there.ring();
    back.wait();
    if (i >= n / 10) times_us.push_back(microseconds(Clock::now() - start));
  }
  other.join();
  return median(times_us);
}

constexpr Row rows[] = {{"wake", wake}};

}  // namespace

}  // namespace weft::bench::actors

int main(int argc, char** argv) { return weft::bench::actors::run_side(argc, argv, weft::bench::actors::rows); }
