// Real processes; each test waits for what it expects, with a deadline.
#include "node/process.hpp"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "node/log_files.hpp"
#include "node/notify_socket.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/node/scratch.hpp"

using namespace weft;
using namespace weft::node;
using weft::node::test::Scratch;

namespace {

struct Fixture : Scratch {
  Command command(const std::string& program, std::vector<std::string> args) {
    return {program, std::move(args), {"PATH=/usr/bin:/bin", "GREETING=hello"}, log};
  }
  Command shell(const std::string& script) { return command("/bin/sh", {"-c", script}); }
  Command sleeper() { return command("/bin/sleep", {"100"}); }
  std::unique_ptr<Process> launch(const Command& what) {
    auto started = launcher->launch(what, [this](Exit how) { exits.push_back(how); });
    REQUIRE(started);
    return std::move(*started);
  }
  bool ended() {
    return loop.run_until([&] { return exits.size() == 1; });
  }
  std::string logged() const { return log_from(log, 0).text; }

  std::string log = folder + "/out.log";
  weft::test::ManualLoop loop;
  std::unique_ptr<Launcher> launcher = make_launcher(loop);
  std::vector<Exit> exits;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "the folder of a log is made where it is missing") {
  Command there = shell("echo hello");
  there.log = folder + "/new/out.log";
  const auto process = launch(there);
  REQUIRE(ended());
  CHECK(log_from(there.log, 0).text == "hello\n");
}

TEST_CASE_METHOD(Fixture, "a process whose log cannot be opened runs without it, and that is reported") {
  std::vector<std::string> lost;
  launcher = make_launcher(loop, [&](const Command& command, const Error& why) {
    CHECK_FALSE(why.message.empty());
    lost.push_back(command.log);
  });
  std::filesystem::create_directory(log);
  const auto process = launch(shell("exit 7"));
  REQUIRE(ended());
  CHECK(exits[0].value == 7);
  CHECK(lost == std::vector{log});
}

TEST_CASE_METHOD(Fixture, "it is seen whether a process writes to the file that has the name of its log") {
  const auto process = launch(sleeper());
  const auto pid = process->id().pid;
  CHECK(writes_to(pid, log));
  const auto number = file_number(log);
  CHECK(number != 0);
  std::filesystem::rename(log, log + ".1");
  CHECK_FALSE(writes_to(pid, log));
  std::ofstream(log) << "new\n";
  CHECK_FALSE(writes_to(pid, log));
  CHECK(file_number(log) != number);
  process->signal(SIGKILL);
  REQUIRE(ended());
}

TEST_CASE_METHOD(Fixture, "a process runs in its working folder, and without one in the node's") {
  Command there = shell("pwd -P");
  there.cwd = "/usr";
  const auto process = launch(there);
  REQUIRE(ended());
  CHECK(logged() == "/usr\n");
  there.cwd = folder + "/nosuch";
  CHECK_FALSE(launcher->launch(there, [](Exit) {}));
}

TEST_CASE_METHOD(Fixture, "an exit code comes back as it was") {
  const auto process = launch(shell("exit 7"));
  REQUIRE(ended());
  CHECK(exits[0].how == Exit::How::exited);
  CHECK(exits[0].value == 7);
}

TEST_CASE_METHOD(Fixture, "a signal comes back as that signal, and later signals do no harm") {
  const auto process = launch(sleeper());
  process->signal(SIGTERM);
  REQUIRE(ended());
  CHECK(exits[0].how == Exit::How::signalled);
  CHECK(exits[0].value == SIGTERM);
  process->signal(SIGTERM);
  process->kill_group();
}

TEST_CASE_METHOD(Fixture, "output of both kinds is appended to the log and the environment is only what was given") {
  std::ofstream(log) << "before\n";
  const auto process = launch(shell("echo $GREETING; echo \"[$HOME]\" >&2"));
  REQUIRE(ended());
  CHECK(logged() == "before\nhello\n[]\n");
}

TEST_CASE_METHOD(Fixture, "a child inherits no descriptor, no blocked signal and no process group") {
  const int leaked = ::dup(1);  // without close-on-exec
  sigset_t block, before;
  sigemptyset(&block);
  sigaddset(&block, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &block, &before);
  const auto process = launch(shell("test -e /proc/$$/fd/" + std::to_string(leaked) +
                                    " && echo leaked; grep SigBlk /proc/self/status; cut -d' ' -f5 /proc/$$/stat"));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::close(leaked);
  REQUIRE(ended());
  CHECK(logged() == "SigBlk:\t0000000000000000\n" + std::to_string(process->id().pid) + "\n");
}

TEST_CASE_METHOD(Fixture, "what a process leaves behind in its group goes with it") {
  const auto process = launch(shell("sleep 100 & echo $! ; exit 0"));
  REQUIRE(ended());
  const auto left = std::stoi(logged());
  CHECK(loop.run_until([&] { return start_ticks_of(left) == 0; }));
}

TEST_CASE_METHOD(Fixture, "a program that does not exist is an error that names it") {
  const auto started = launcher->launch(command("/no/such/program", {}), [](Exit) {});
  REQUIRE_FALSE(started);
  CHECK(started.error().is(codes::start_failed));
  CHECK(started.error().message.find("'/no/such/program'") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a running process is adopted and its end is noticed") {
  const auto process = launch(sleeper());
  const auto id = process->id();
  REQUIRE(id.start_ticks != 0);
  bool gone = false;
  auto adopted = launcher->adopt(id, [&](Exit how) { gone = how.how == Exit::How::unknown; });
  REQUIRE(adopted);
  (*adopted)->kill_group();
  CHECK(loop.run_until([&] { return gone; }));
}

TEST_CASE_METHOD(Fixture, "a pid that another process has now is not adopted") {
  const auto process = launch(sleeper());
  auto id = process->id();
  ++id.start_ticks;
  CHECK_FALSE(launcher->adopt(id, [](Exit) {}));
  CHECK_FALSE(launcher->adopt({1, 0}, [](Exit) {}));
  process->kill_group();
  CHECK(ended());
}

TEST_CASE_METHOD(Fixture, "letting go of a process ends nothing") {
  auto process = launch(sleeper());
  const auto id = process->id();
  process.reset();
  loop.turn();
  CHECK(start_ticks_of(id.pid) == id.start_ticks);
  auto adopted = launcher->adopt(id, [](Exit) {});
  REQUIRE(adopted);
  (*adopted)->kill_group();
  CHECK(loop.run_until([&] { return start_ticks_of(id.pid) == 0; }));
}

TEST_CASE_METHOD(Fixture, "the notify socket knows which process spoke") {
  std::vector<Notification> said;
  auto socket = NotifySocket::open(loop, folder + "/notify", [&](const Notification& one) { said.push_back(one); });
  REQUIRE(socket);
  auto speaker = command("/usr/bin/python3", {"-c",
                                              "import os, socket\n"
                                              "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                                              "s.sendto(b'STATUS=warm\\nREADY=1', os.environ['NOTIFY_SOCKET'])"});
  speaker.env.push_back("NOTIFY_SOCKET=" + folder + "/notify");
  const auto process = launch(speaker);
  REQUIRE(loop.run_until([&] { return said.size() == 1; }));
  CHECK(said[0].pid == process->id().pid);
  CHECK(said[0].ready);
  CHECK(said[0].status == "warm");
}

TEST_CASE("a path that no socket can have is refused with what to do") {
  weft::test::ManualLoop loop;
  const auto refused = NotifySocket::open(loop, "/tmp/" + std::string(200, 'x'), [](const Notification&) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().hint == "choose a shorter run directory: --run DIR");
}

TEST_CASE("a program is found by name in PATH and a missing one is told with where it was looked for") {
  CHECK(find_program("sh", "/").value().ends_with("/sh"));
  CHECK(find_program("./sh", "/bin").value() == "/bin/sh");
  const Scratch scratch;
  const std::string& folder = scratch.folder;
  std::ofstream(folder + "/plain.py") << "print()";
  CHECK(find_program("plain.py", folder).error().message.ends_with("write './plain.py'"));
  CHECK(find_program("./plain.py", folder).error().message ==
        "'" + folder + "/plain.py' is not an executable file (chmod +x " + folder + "/plain.py)");
  CHECK(find_program("./nosuch.py", folder).error().message == "there is no program '" + folder + "/nosuch.py'");
  const auto missing = find_program("weft-no-such-program", "/");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("WEFT_PROGRAM_PATH or PATH") != std::string::npos);
}
