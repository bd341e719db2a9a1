// __cxa_throw is what the compiler calls for `throw` (Itanium C++ ABI, 2.4.3); this one keeps the stack and calls that
// of the C++ library. It is weak, so that a program that links the C++ library statically keeps its own.
#include "weft/base/throw_trace.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>

#include "weft/base/stack_text.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_SANITIZED 1
#endif
#endif

namespace weft {
namespace {

constexpr std::size_t kTraceFramesMax = 24, kKnownTextsMax = 256;

struct Trace {
  const void* exception = nullptr;
  std::size_t count = 0;
  std::array<std::uintptr_t, kTraceFramesMax> pcs{};
};

/// The last exceptions of this thread: one may be thrown while another is handled.
struct Traces {
  std::array<Trace, 4> last;
  std::size_t next = 0;
};
thread_local Traces traces;

std::atomic<std::int64_t> kept_since{0};  ///< Unix time in seconds; 0: not kept

[[maybe_unused]] _Unwind_Reason_Code add_frame(_Unwind_Context* context, void* argument) {
  Trace& trace = *static_cast<Trace*>(argument);
  if (trace.count == kTraceFramesMax) return _URC_END_OF_STACK;
  trace.pcs[trace.count++] = _Unwind_GetIP(context) - 1;  // a return address may be in the next function
  return _URC_NO_REASON;
}

[[maybe_unused]] void keep_trace(const void* exception) noexcept {
  Trace& trace = traces.last[traces.next++ % traces.last.size()];
  trace.exception = exception;
  trace.count = 0;
  (void)_Unwind_Backtrace(add_frame, &trace);
}

const Trace* trace_for(const void* exception) noexcept {
  for (std::size_t i = 0; i < traces.last.size(); ++i) {
    const Trace& trace = traces.last[(traces.next - 1 - i) % traces.last.size()];
    if (trace.exception == exception && trace.count > 0) return &trace;
  }
  return nullptr;
}

std::string own_program() {
  std::array<char, PATH_MAX> path{};
  const auto length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

std::string trace_text(const Trace& trace) {
  std::vector<CodeAddress> frames;
  for (std::size_t i = 0; i < trace.count; ++i) {
    dl_find_object found{};
    if (::_dl_find_object(reinterpret_cast<void*>(trace.pcs[i]), &found) != 0) continue;
    const link_map& file = *found.dlfo_link_map;
    const bool library = file.l_name != nullptr && *file.l_name != '\0';
    frames.push_back({trace.pcs[i] - file.l_addr, library ? std::string(file.l_name) : own_program()});
  }
  std::string text = stack_text(frames, kept_since.load(std::memory_order_relaxed));
  const auto throwing = text.find("in __cxa_throw+");  // what is above it is this file
  if (throwing == std::string::npos) return text;
  const auto line = text.find('\n', throwing);
  return line == std::string::npos ? std::string() : text.substr(line + 1);
}

/// Texts by return addresses: one bug throws in one place.
struct Known {
  std::mutex mutex;
  std::map<std::array<std::uintptr_t, kTraceFramesMax>, std::string> texts;
};
Known& known_texts() {
  static Known of_the_process;  // names of functions are the same for everyone
  return of_the_process;
}

}  // namespace

void keep_throw_traces() noexcept { kept_since.store(std::time(nullptr), std::memory_order_relaxed); }

std::string throw_trace_of(const std::exception_ptr& thrown) {
  const void* exception = nullptr;
  static_assert(sizeof thrown == sizeof exception);
  std::memcpy(&exception, static_cast<const void*>(&thrown), sizeof exception);  // all that libstdc++'s has
  const Trace* trace = exception == nullptr ? nullptr : trace_for(exception);
  if (trace == nullptr) return {};
  auto key = trace->pcs;
  std::fill(key.begin() + static_cast<std::ptrdiff_t>(trace->count), key.end(), 0);
  const std::lock_guard lock(known_texts().mutex);
  auto& texts = known_texts().texts;
  if (const auto found = texts.find(key); found != texts.end()) return found->second;
  if (texts.size() == kKnownTextsMax) texts.clear();
  return texts[key] = trace_text(*trace);
}

}  // namespace weft

#ifndef WEFT_SANITIZED
// By another name, since the compiler has a declaration of its own of __cxa_throw.
extern "C" [[noreturn]] void weft_throw(void* exception, void* type, void (*destroy)(void*)) __asm__("__cxa_throw")
    __attribute__((weak));
void weft_throw(void* exception, void* type, void (*destroy)(void*)) {
  using Throw = void (*)(void*, void*, void (*)(void*));
  static const auto next = reinterpret_cast<Throw>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  if (weft::kept_since.load(std::memory_order_relaxed) != 0) weft::keep_trace(exception);
  next(exception, type, destroy);
  __builtin_unreachable();
}
#endif
