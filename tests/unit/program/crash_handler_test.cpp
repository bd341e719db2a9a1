#include "weft/program/crash_handler.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/base/alternate_stack.hpp"

using namespace weft;
using namespace weft::program;

namespace {

int* volatile nowhere = nullptr;

[[gnu::noinline]] int run_out_of_stack(int depth) {
  if (depth < 0) return 0;
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  return run_out_of_stack(depth + 1) + frame[0];
}

/// A process with a handler that dies in its own way.
struct Fixture {
  template <class Death>
  int die(Death death) {
    const pid_t child = ::fork();
    if (child == 0) {
      rlimit none{};
      (void)::getrlimit(RLIMIT_CORE, &none);
      none.rlim_cur = 0;
      (void)::setrlimit(RLIMIT_CORE, &none);
      (void)::close(STDERR_FILENO);  // the words of std::terminate
      for (const int signal : {SIGSEGV, SIGABRT, SIGFPE}) (void)std::signal(signal, SIG_DFL);  // not those of the tests
      install_crash_handler(file);
      death();
      std::_Exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    pid = child;
    return status;
  }
  std::string record() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t frames() const {
    const std::string text = record();
    std::size_t count = 0;
    for (auto at = text.find("\nframe "); at != std::string::npos; at = text.find("\nframe ", at + 1)) ++count;
    return count;
  }
  bool has(const std::string& line) const { return ("\n" + record()).find("\n" + line) != std::string::npos; }

  test::TempDir dir;
  std::string file = dir / "sample.crash";
  pid_t pid = 0;
};

bool killed_by(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

}  // namespace

TEST_CASE_METHOD(Fixture, "a fault leaves a record, and ends the process by its own signal") {
  if (!kHandlesCrashes) return;
  CHECK(killed_by(die([] { *nowhere = 1; }), SIGSEGV));
  CHECK(record().starts_with("weft-crash 1\npid " + std::to_string(pid) + "\n"));
  CHECK(has("signal 11 1\n"));
  CHECK(has("address 0x0\n"));
  CHECK(has("frame 0x"));
  CHECK(record().ends_with("\nend\n"));
  CHECK(record().find("unit-program") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a call of a null pointer has the stack of its caller, and ends the process at address 0") {
  if (!kHandlesCrashes) return;
  CHECK(killed_by(die([] {
                    void (*volatile function)() = nullptr;
                    function();
                    nowhere = nullptr;
                  }),
                  SIGSEGV));
  CHECK(has("pc 0x0\n"));
  CHECK(has("address 0x0\n"));
  CHECK(frames() > 3);  // of this program down to main()
}

TEST_CASE_METHOD(Fixture, "abort, and a signal from outside, are recorded once and end the process") {
  if (!kHandlesCrashes) return;
  CHECK(killed_by(die([] { std::abort(); }), SIGABRT));
  CHECK(has("signal 6 "));
  CHECK_FALSE(has("exception "));
  CHECK(killed_by(die([] { (void)::kill(::getpid(), SIGFPE); }), SIGFPE));
  CHECK(has("signal 8 0\n"));
  CHECK_FALSE(has("address "));
  CHECK(record().find("weft-crash", 1) == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a core file is written as without the handler") {
  if (!kHandlesCrashes) return;
  rlimit cores{};
  std::string pattern;
  std::ifstream("/proc/sys/kernel/core_pattern") >> pattern;
  if (::getrlimit(RLIMIT_CORE, &cores) != 0 || cores.rlim_max == 0 || pattern != "core") return;  // not on this machine
  const int status = die([&] {
    cores.rlim_cur = cores.rlim_max;
    (void)::setrlimit(RLIMIT_CORE, &cores);
    if (::chdir(dir.path().c_str()) == 0) *nowhere = 1;
  });
  CHECK(killed_by(status, SIGSEGV));
  CHECK(WCOREDUMP(status));
  CHECK(record().ends_with("\nend\n"));
}

TEST_CASE_METHOD(Fixture, "an exception that nobody catches is recorded with its type and text, on one line") {
  if (!kHandlesCrashes) return;
  CHECK(killed_by(die([] { std::thread([] { throw std::out_of_range("no\nshelf"); }).join(); }), SIGABRT));
  CHECK(has("exception std::out_of_range\nwhat no shelf\n"));
  CHECK(has("signal 6 "));
}

TEST_CASE_METHOD(Fixture, "a stack that overflows is recorded, in a thread with an alternate stack too") {
  if (!kHandlesCrashes) return;
  CHECK(killed_by(die([] { std::_Exit(run_out_of_stack(0)); }), SIGSEGV));
  CHECK(record().ends_with("\nend\n"));
  CHECK(killed_by(die([] {
                    std::thread([] {
                      const AlternateStack own;
                      std::_Exit(run_out_of_stack(0));
                    }).join();
                  }),
                  SIGSEGV));
  CHECK(record().ends_with("\nend\n"));
  CHECK(frames() == 64);
}

TEST_CASE_METHOD(Fixture, "threads that crash together make one record") {
  if (!kHandlesCrashes) return;
  CHECK(WIFSIGNALED(die([] {
    std::thread other([] { *nowhere = 1; });
    *nowhere = 2;
    other.join();
  })));
  CHECK(record().ends_with("\nend\n"));
  CHECK(record().find("weft-crash", 1) == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a process forked from the one with the handler writes nothing") {
  if (!kHandlesCrashes) return;
  const int status = die([] {
    const pid_t child = ::fork();
    if (child == 0) std::abort();
    (void)::waitpid(child, nullptr, 0);
  });
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  CHECK(record().empty());
}

TEST_CASE_METHOD(Fixture, "an exception that ends the process in an orderly way is recorded without a signal") {
  if (!kHandlesCrashes) return;
  (void)die([] { record_exception(std::make_exception_ptr(std::runtime_error("a bug"))); });
  CHECK(has("exception std::runtime_error\nwhat a bug\nend\n"));
  CHECK_FALSE(has("signal "));
}

TEST_CASE_METHOD(Fixture, "only the owner can read the record, and what is no regular file is left alone") {
  if (!kHandlesCrashes) return;
  (void)die([] { std::abort(); });
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  file = dir / "fifo";
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  CHECK(killed_by(die([] { std::abort(); }), SIGABRT));
}
