#include "node/postmortem.hpp"

#include <signal.h>

#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::node;

namespace {

struct Fixture {
  Fixture() {
    unit.name = "digest";
    unit.command.log = dir / "digest.log";
    unit.crash_file = dir / "digest.crash";
    status.process = {4711, 1};
    kernel(0);
  }
  void kernel(int kills) { std::ofstream(memory, std::ios::trunc) << "pgfault 7\noom_kill " << kills << "\nlast 1\n"; }
  void log(const std::string& text) { std::ofstream(unit.command.log, std::ios::app) << text; }
  void start() {
    status.state = State::starting;
    postmortem.changed(unit, status);
  }
  void leave_record(int pid) {
    std::ofstream(unit.crash_file)
        << "weft-crash 1\npid " << pid << "\nthread " << pid << " main\n"
        << extra << "signal 11 1\naddress 0x0\npc 0x10\nsp 0x7ffe0000\nframe 0x10 /nowhere/app\nend\n";
  }
  ErrorEvent event(Exit exit, std::string_view reason = "signal") {
    Ended ended;
    ended.exit = exit;
    ended.why = exit.text();
    ended.reason = reason;
    ended.decision.action = Decision::Action::restart;
    return event_of(unit, status, ended, postmortem.examine(unit, exit));
  }

  weft::test::TempDir dir;
  std::string memory = (std::ofstream(dir / "vmstat") << "oom_kill 0\n", dir / "vmstat");
  weft::test::ManualLoop loop;
  Postmortem postmortem{loop, memory};
  Unit unit;
  Status status;
  std::string extra;
};
constexpr Exit kSegv{Exit::How::signalled, SIGSEGV}, kKill{Exit::How::signalled, SIGKILL},
    kAbort{Exit::How::signalled, SIGABRT};

}  // namespace

TEST_CASE_METHOD(Fixture, "a crash is told in the name of its agent, with signal, address, stack and last lines") {
  log("of an earlier process\n");
  start();
  log("first\nlast\n");
  leave_record(4711);
  const ErrorEvent told = event(kSegv);
  CHECK(told.agent == "digest");
  CHECK(told.code == codes::process_exited.id);
  CHECK(told.exception == "SIGSEGV");
  CHECK(told.stack == "#0 0x10 in ?? from app");
  CHECK(told.fingerprint.empty());
  CHECK(told.values.at("signal") == Value("SIGSEGV"));
  CHECK(told.values.at("address") == Value("0x0"));
  CHECK(told.values.at("log") == Value(Value::List{"first", "last"}));
  CHECK(told.text() == "digest was killed by signal 11 (SIGSEGV, Segmentation fault); restart 0 in 0s");
  CHECK_FALSE(std::ifstream(unit.crash_file));
}

TEST_CASE_METHOD(Fixture, "a record of another process does not count, unless its shell passed the signal on") {
  start();
  leave_record(4712);
  CHECK(event(kSegv).stack.empty());
  start();
  leave_record(4712);
  CHECK(event({Exit::How::exited, 128 + SIGSEGV}, "exit").stack == "#0 0x10 in ?? from app");
}

TEST_CASE_METHOD(Fixture, "without a record each way to end is an issue of its own") {
  const auto issue = [&](Exit exit, std::string_view reason) {
    start();
    return event(exit, reason).fingerprint;
  };
  CHECK(issue(kSegv, "signal") == "WEFT-5007:digest:signal SIGSEGV");
  CHECK(issue(kKill, "signal") == "WEFT-5007:digest:signal SIGKILL");
  CHECK(issue({Exit::How::exited, 3}, "exit") == "WEFT-5007:digest:exit 3");
  CHECK(issue(kKill, "start_timeout") == "WEFT-5007:digest:start_timeout");
}

TEST_CASE_METHOD(Fixture, "an exception is told with its type and text") {
  extra = "exception std::out_of_range\nwhat no shelf\n";
  start();
  leave_record(4711);
  const ErrorEvent told = event(kAbort);
  CHECK(told.exception == "std::out_of_range");
  CHECK(told.values.at("what") == Value("no shelf"));
  CHECK(told.values.at("why").as_string().ends_with(": std::out_of_range: no shelf"));
}

TEST_CASE_METHOD(Fixture, "a loop that hangs is one issue, wherever it was when it was looked at") {
  start();
  leave_record(4711);
  const ErrorEvent told = event(kAbort, "watchdog");
  CHECK(told.stack == "#0 0x10 in ?? from app");
  CHECK(told.fingerprint == "WEFT-5007:digest:watchdog");
}

TEST_CASE_METHOD(Fixture,
                 "a kill in the moment in which the kernel was out of memory is named so, a later one is not") {
  start();
  kernel(1);
  const ErrorEvent told = event(kKill);
  CHECK(told.fingerprint == "WEFT-5007:digest:memory");
  CHECK(told.values.at("why").as_string().find("for lack of memory") != std::string::npos);
  start();
  CHECK(event(kKill).fingerprint == "WEFT-5007:digest:signal SIGKILL");
  start();
  kernel(2);
  loop.advance(3s, 1s);
  CHECK(event(kKill).fingerprint == "WEFT-5007:digest:signal SIGKILL");
  start();
  kernel(3);
  CHECK(event(kKill, "stop_timeout").fingerprint == "WEFT-5007:digest:stop_timeout");  // this node's own
}

TEST_CASE_METHOD(Fixture, "an adopted process has the lines of its log, and what its record says of its end") {
  log("who knows when\n");
  status.state = State::ready;
  postmortem.changed(unit, status);
  leave_record(4711);
  const ErrorEvent told = event({Exit::How::unknown, 0}, "unknown");
  CHECK(told.values.at("log") == Value(Value::List{"who knows when"}));
  CHECK(told.values.at("why").as_string().ends_with("; it recorded SIGSEGV"));
  CHECK(told.exception == "SIGSEGV");
}

TEST_CASE_METHOD(Fixture, "a crash while a process is being stopped says so") {
  start();
  leave_record(4711);
  Ended ended;
  ended.exit = kSegv;
  ended.why = kSegv.text();
  ended.reason = "signal";
  ended.expected = true;
  const ErrorEvent told = event_of(unit, status, ended, postmortem.examine(unit, kSegv));
  CHECK(told.severity == Severity::error);
  CHECK(told.exception == "SIGSEGV");
  CHECK(told.text() == "digest was killed by signal 11 (SIGSEGV, Segmentation fault); it was being stopped");
}

TEST_CASE_METHOD(Fixture, "a node that crashed is reported by the next one, once") {
  log("the last line\n");
  CHECK_FALSE(crash_of_former_node(unit.crash_file, unit.command.log));
  std::ofstream(unit.crash_file) << "";  // of one that was killed
  CHECK_FALSE(crash_of_former_node(unit.crash_file, unit.command.log));
  leave_record(7);
  const auto findings = crash_of_former_node(unit.crash_file, unit.command.log);
  REQUIRE(findings);
  const ErrorEvent told = event_of_former_node(*findings);
  CHECK(told.agent.empty());  // the one that reports
  CHECK(told.text() == "the node before this one crashed: SIGSEGV");
  CHECK(told.stack == "#0 0x10 in ?? from app");
  CHECK(told.values.at("log") == Value(Value::List{"the last line"}));
  CHECK_FALSE(crash_of_former_node(unit.crash_file, unit.command.log));
}

TEST_CASE_METHOD(Fixture, "at most 20 lines are told, and the log may have been emptied meanwhile") {
  start();
  for (int i = 1; i <= 100; ++i) log("line " + std::to_string(i) + "\n");
  const Findings findings = postmortem.examine(unit, kKill);
  REQUIRE(findings.log.size() == 20);
  CHECK(findings.log.back() == "line 100");
  start();
  std::ofstream(unit.command.log, std::ios::trunc) << "after the rotation\n";
  CHECK(postmortem.examine(unit, kKill).log == std::vector<std::string>{"after the rotation"});
}
