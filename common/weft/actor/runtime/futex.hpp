// The kernel's futex (2) with a time limit, which std::atomic::wait does not have. Private to actor.
#pragma once
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <ctime>

#include "weft/base/base.hpp"

namespace weft::actor::futex {

/// Returns when woken, when `word` is not `expected`, after `limit` (0: unlimited), or spuriously.
inline void wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, Duration limit) noexcept {
  timespec time{};
  time.tv_sec = static_cast<std::time_t>(limit.count() / 1'000'000'000);
  time.tv_nsec = static_cast<long>(limit.count() % 1'000'000'000);
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, limit > Duration() ? &time : nullptr, nullptr, 0);
}
inline void wake(std::atomic<std::uint32_t>& word, int how_many) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, how_many, nullptr, nullptr, 0);
}

}  // namespace weft::actor::futex
