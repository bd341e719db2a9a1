// The handler runs in a process of which nothing can be trusted: it calls only what is async-signal-safe
// (signal-safety(7), and glibc's _dl_find_object(3), on which libgcc's unwinder rests), allocates nothing and takes no
// lock. Names of functions are looked up later, by the supervisor.
#include "weft/program/crash_handler.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "weft/base/alternate_stack.hpp"
#include "weft/base/exception.hpp"
#include "weft/base/files.hpp"

namespace weft::program {
namespace {

constexpr std::array kSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr int kFramesMax = 64;

/// What the handler needs, prepared while all is well. A handler has no arguments, so this is the process's own.
struct Prepared {
  int fd = -1;
  pid_t pid = 0;
  long started = 0;              ///< Unix time, seconds
  char program[1024] = {};       ///< path
  char exception[600] = {};      ///< type of the exception that ends the process; empty: none does
  char what[1200] = {};          ///< its text
  std::atomic<pid_t> thread{0};  ///< that writes the record
  std::terminate_handler terminate = nullptr;
};
Prepared prepared;  // NOLINT: see above

pid_t thread_id() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// Lines into the file, through a small buffer.
class Writer {
 public:
  explicit Writer(int fd) noexcept : fd_(fd) {}
  ~Writer() { flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& text(const char* text) noexcept {
    for (; *text != '\0'; ++text) put(*text);
    return *this;
  }
  Writer& number(long value) noexcept {
    if (value < 0) put('-');
    digits(value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value), 10);
    return *this;
  }
  Writer& hex(std::uint64_t value) noexcept {
    put('0');
    put('x');
    digits(value, 16);
    return *this;
  }
  void flush() noexcept {
    for (std::size_t at = 0; at < used_;) {
      const auto written = ::write(fd_, buffer_ + at, used_ - at);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;
      at += static_cast<std::size_t>(written);
    }
    used_ = 0;
  }

 private:
  void put(char c) noexcept {
    if (used_ == sizeof buffer_) flush();
    buffer_[used_++] = c;
  }
  void digits(std::uint64_t value, std::uint64_t base) noexcept {
    char reversed[24];
    int count = 0;
    do {
      reversed[count++] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    while (count > 0) put(reversed[--count]);
  }

  int fd_;
  char buffer_[1024];
  std::size_t used_ = 0;
};

/// Where the thread was, and where it returns to if it has just called a function there.
struct Place {
  std::uintptr_t pc = 0, sp = 0, caller = 0;
};

Place place_of(const void* context) noexcept {
  Place place;
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  place.pc = static_cast<std::uintptr_t>(machine.gregs[REG_RIP]);
  place.sp = static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
  iovec to{&place.caller, sizeof place.caller};
  iovec from{reinterpret_cast<void*>(place.sp), sizeof place.caller};
  // By the kernel, since the stack pointer may be wrong too.
  (void)::syscall(SYS_process_vm_readv, ::getpid(), &to, 1UL, &from, 1UL, 0UL);
#elif defined(__aarch64__)
  place.pc = machine.pc;
  place.sp = machine.sp;
  place.caller = machine.regs[30];
#else
  (void)machine;
#endif
  return place;
}

bool in_a_file(std::uintptr_t address) noexcept {
  dl_find_object found{};
  return ::_dl_find_object(reinterpret_cast<void*>(address), &found) == 0;
}

/// After a call of a null pointer, say, there is nothing at the place from which the unwinder could find the caller: it
/// begins at the caller then. It reads `context`, which is put back, since the process continues from it.
class FromTheCaller {
 public:
  FromTheCaller(void* context, Place& place) noexcept : machine_(static_cast<ucontext_t*>(context)->uc_mcontext) {
    if (in_a_file(place.pc) || !in_a_file(place.caller)) return;
    before_ = place;
    set(place.caller, kReturnAddress);
    place.pc = place.caller;
  }
  ~FromTheCaller() {
    if (before_.caller != 0) set(before_.pc, 0 - kReturnAddress);
  }
  FromTheCaller(const FromTheCaller&) = delete;
  FromTheCaller& operator=(const FromTheCaller&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr std::uintptr_t kReturnAddress = sizeof(void*);  // on the stack
  void set(std::uintptr_t pc, std::uintptr_t popped) noexcept {
    machine_.gregs[REG_RIP] = static_cast<greg_t>(pc);
    machine_.gregs[REG_RSP] += static_cast<greg_t>(popped);
  }
#elif defined(__aarch64__)
  static constexpr std::uintptr_t kReturnAddress = 0;  // in a register
  void set(std::uintptr_t pc, std::uintptr_t) noexcept { machine_.pc = pc; }
#else
  static constexpr std::uintptr_t kReturnAddress = 0;
  void set(std::uintptr_t, std::uintptr_t) noexcept {}
#endif

  mcontext_t& machine_;
  Place before_;
};

/// "frame <address in the file> <file>". False: no file is mapped there.
bool write_frame(Writer& out, std::uintptr_t address) noexcept {
  dl_find_object found{};
  if (::_dl_find_object(reinterpret_cast<void*>(address), &found) != 0) return false;
  const link_map* file = found.dlfo_link_map;
  out.text("frame ").hex(address - file->l_addr).text(" ");
  out.text(file->l_name != nullptr && *file->l_name != '\0' ? file->l_name : prepared.program).text("\n");
  return true;
}

struct Walk {
  Writer& out;
  std::uintptr_t from;  ///< frames before this one are the handler's own
  bool reached = false;
  int frames = 0;
};

_Unwind_Reason_Code each_frame(_Unwind_Context* context, void* argument) noexcept {
  Walk& walk = *static_cast<Walk*>(argument);
  int interrupted = 0;
  const std::uintptr_t pc = _Unwind_GetIPInfo(context, &interrupted);
  walk.reached = walk.reached || pc == walk.from;
  if (!walk.reached) return _URC_NO_REASON;
  if (walk.frames == kFramesMax) return _URC_END_OF_STACK;
  // A return address is behind the call, and may be in the next function.
  if (write_frame(walk.out, interrupted != 0 || pc == 0 ? pc : pc - 1)) ++walk.frames;
  return _URC_NO_REASON;
}

void write_stack(Writer& out, void* context) noexcept {
  Place place = place_of(context);
  const FromTheCaller from(context, place);
  Walk walk{out, place.pc};
  (void)_Unwind_Backtrace(each_frame, &walk);
  if (walk.frames == 0) (void)write_frame(out, place.pc);
}

void write_head(Writer& out) noexcept {
  char name[32] = {};
  (void)::prctl(PR_GET_NAME, name);
  out.text("weft-crash 1\npid ").number(prepared.pid).text("\nstarted ").number(prepared.started);
  out.text("\nthread ").number(thread_id()).text(" ").text(name).text("\n");
  if (prepared.exception[0] != '\0')
    out.text("exception ").text(prepared.exception).text("\nwhat ").text(prepared.what).text("\n");
}

void write_record(int signal, const siginfo_t& info, void* context) noexcept {
  Writer out(prepared.fd);
  write_head(out);
  out.text("signal ").number(signal).text(" ").number(info.si_code).text("\n");
  if (info.si_code > 0) out.text("address ").hex(reinterpret_cast<std::uintptr_t>(info.si_addr)).text("\n");
  out.text("pc ").hex(place_of(context).pc).text("\nsp ").hex(place_of(context).sp).text("\n");
  out.flush();  // should the stack be damaged, this much is there
  write_stack(out, context);
  out.text("end\n");
}

void on_crash(int signal, siginfo_t* info, void* context) noexcept {
  pid_t nobody = 0;
  if (prepared.thread.compare_exchange_strong(nobody, thread_id())) {
    if (::getpid() == prepared.pid) write_record(signal, *info, context);
  } else {
    for (;;) ::pause();  // another thread writes its record and ends the process
  }
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  (void)::sigaction(signal, &by_default, nullptr);
  // What the processor raised comes again when the instruction is tried again; what was sent has to be sent again. It
  // waits, since it is blocked here, until the handler has returned to where the thread was.
  if (info->si_code <= 0) (void)::syscall(SYS_tgkill, ::getpid(), thread_id(), signal);
}

template <std::size_t N>
void copy_line(char (&to)[N], const std::string& text) noexcept {
  const std::size_t length = std::min(text.size(), N - 1);
  for (std::size_t i = 0; i < length; ++i) to[i] = static_cast<unsigned char>(text[i]) < ' ' ? ' ' : text[i];
  to[length] = '\0';
}

void note(const std::exception_ptr& failure) noexcept {
  try {
    const ThrownFacts thrown = what_of(failure);
    copy_line(prepared.what, thrown.text);
    copy_line(prepared.exception, thrown.type);
  } catch (...) {  // no memory
    copy_line(prepared.exception, "an exception");
  }
}

[[noreturn]] void on_terminate() {
  if (const auto failure = std::current_exception()) note(failure);
  if (prepared.terminate != nullptr) prepared.terminate();
  std::abort();
}

void handle(int signal) noexcept {
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int other : kSignals)
    sigaddset(&action.sa_mask, other);  // a fault in the handler ends the process at once
  (void)::sigaction(signal, &action, nullptr);
}

}  // namespace

void install_crash_handler(const std::string& file) {
  if (!kHandlesCrashes) return;
  const auto opened = open_regular_file(file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
  if (!opened) return;
  prepared.fd = *opened;
  prepared.pid = ::getpid();
  prepared.started = static_cast<long>(std::time(nullptr));
  (void)!::readlink("/proc/self/exe", prepared.program, sizeof prepared.program - 1);
  static const AlternateStack stack;  // of the main thread, until the process has ended
  Writer nowhere(-1);
  Walk first{nowhere, UINTPTR_MAX};
  (void)_Unwind_Backtrace(each_frame, &first);  // what it does only once, it has done
  prepared.terminate = std::set_terminate(on_terminate);
  for (const int signal : kSignals) handle(signal);
}

void record_exception(const std::exception_ptr& failure) noexcept {
  if (prepared.fd < 0 || ::getpid() != prepared.pid) return;
  note(failure);
  Writer out(prepared.fd);
  write_head(out);
  out.text("end\n");
  out.flush();
  prepared.exception[0] = '\0';
}

}  // namespace weft::program
