#include "weft/base/alternate_stack.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <cstddef>

namespace weft {
namespace {
// Room for the registers (10 KiB with AVX-512) and for unwinding. Only pages that are used take memory.
constexpr std::size_t kBytes = 128 * 1024, kGuard = 4 * 1024;
}  // namespace

AlternateStack::AlternateStack() noexcept
    : memory_(::mmap(nullptr, kGuard + kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
  if (memory_ == MAP_FAILED) return;
  (void)::mprotect(memory_, kGuard, PROT_NONE);  // a handler that needs more ends the process instead of damaging it
  stack_t stack{};
  stack.ss_sp = static_cast<std::byte*>(memory_) + kGuard;
  stack.ss_size = kBytes;
  (void)::sigaltstack(&stack, nullptr);
}

AlternateStack::~AlternateStack() {
  if (memory_ == MAP_FAILED) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  (void)::sigaltstack(&none, nullptr);
  (void)::munmap(memory_, kGuard + kBytes);
}

}  // namespace weft
