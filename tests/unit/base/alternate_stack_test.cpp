#include "weft/base/alternate_stack.hpp"

#include <signal.h>

#include <cstdint>
#include <thread>

#include "tests/support/catch.hpp"

using namespace weft;

namespace {

stack_t of_this_thread() {
  stack_t stack{};
  (void)::sigaltstack(nullptr, &stack);
  return stack;
}

std::uintptr_t handled_at = 0;
void on_signal(int) {
  volatile char here = 0;
  handled_at = reinterpret_cast<std::uintptr_t>(&here);
}

}  // namespace

TEST_CASE("a thread has an alternate stack as long as the object lives, and a handler runs on it") {
  std::thread([] {
    {
      const AlternateStack own;
      const stack_t stack = of_this_thread();
      CHECK(stack.ss_flags == 0);
      CHECK(stack.ss_size >= 64 * 1024);
      struct sigaction action {
      }, before{};
      action.sa_handler = on_signal;
      action.sa_flags = SA_ONSTACK;
      REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
      (void)::pthread_kill(::pthread_self(), SIGUSR1);
      (void)::sigaction(SIGUSR1, &before, nullptr);
      const auto begin = reinterpret_cast<std::uintptr_t>(stack.ss_sp);
      CHECK(handled_at >= begin);
      CHECK(handled_at < begin + stack.ss_size);
    }
    CHECK(of_this_thread().ss_flags == SS_DISABLE);
  }).join();
}
