#include "node/places.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "node/process_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/node/scratch.hpp"

using namespace weft;
using namespace weft::node;

namespace {

struct Fixture : weft::node::test::Scratch {
  Fixture() {
    ::setenv("XDG_STATE_HOME", (folder + "/state").c_str(), 1);
    ::setenv("XDG_RUNTIME_DIR", (folder + "/run").c_str(), 1);
    ::setenv("HOME", folder.c_str(), 1);
  }
};

/// Another process that does `work` and then waits to be killed; a lock is not held against its own process.
struct Other {
  template <class Work>
  explicit Other(Work work) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid = ::fork();
    if (pid == 0) {
      work();
      (void)!::write(ends[1], "x", 1);
      for (;;) ::pause();
    }
    char done = 0;
    REQUIRE(::read(ends[0], &done, 1) == 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Other() { end(); }
  void end() {
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(std::exchange(pid, 0), nullptr, 0);
    }
  }
  pid_t pid = 0;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "places follow XDG unless they are said, and are absolute") {
  const auto places = places_of("demo", "alpha", "", "");
  CHECK(places.state == folder + "/state/weft/demo/alpha");
  CHECK(places.run == folder + "/run/weft/demo-alpha");
  CHECK(places.context_file == folder + "/state/weft/contexts/demo@alpha.yaml");
  CHECK(places.log_of("sysmon") == folder + "/state/weft/demo/alpha/log/sysmon.log");
  CHECK(places_of("demo", "alpha", "x", "/r/").state == std::filesystem::current_path().string() + "/x");
}

TEST_CASE_METHOD(Fixture, "folders are made, the run directory for this user only") {
  const auto places = places_of("demo", "alpha", "", "");
  REQUIRE(create(places));
  REQUIRE(create(places));
  CHECK(std::filesystem::is_directory(places.state + "/log"));
  CHECK((std::filesystem::status(places.run).permissions() & std::filesystem::perms::all) ==
        std::filesystem::perms::owner_all);
  CHECK_FALSE(create(places_of("demo", "alpha", "/proc/nowhere", "")));
}

TEST_CASE_METHOD(Fixture, "a lock tells who holds it, and goes with its holder") {
  const auto file = folder + "/node.lock";
  CHECK_FALSE(NodeLock::holder(file));
  Other other([&] { static auto lock = NodeLock::take(file); });
  CHECK(NodeLock::holder(file) == other.pid);
  const auto second = NodeLock::take(file);
  REQUIRE_FALSE(second);
  CHECK(second.error().is(codes::already_running));
  CHECK(second.error().message.find(std::to_string(other.pid)) != std::string::npos);
  other.end();
  CHECK_FALSE(NodeLock::holder(file));
  CHECK(NodeLock::take(file));
}

TEST_CASE_METHOD(Fixture, "contexts of nodes that live are found, and only those") {
  CHECK(live_contexts().empty());
  const auto places = places_of("demo", "alpha", "", "");
  REQUIRE(create(places));
  Other node([&] { static auto lock = NodeLock::take(places.lock_file()); });
  const Context context{"demo",       "alpha",   "tcp://127.0.0.2:7411", "http://127.0.0.2:7410", node.pid,
                        places.state, places.run};
  REQUIRE(write_context(places.context_file, context));
  std::ofstream(folder + "/state/weft/contexts/broken.yaml") << "][";
  const auto found = live_contexts();
  REQUIRE(found.size() == 1);
  CHECK(found[0].name() == "demo@alpha");
  CHECK(found[0].registry == "tcp://127.0.0.2:7411");
  CHECK(found[0].pid == node.pid);
  node.end();
  CHECK(live_contexts().empty());
}

TEST_CASE_METHOD(Fixture, "the process file survives its writing, and one of another boot is not believed") {
  const auto file = folder + "/processes.json";
  CHECK(read_process_file(file, "boot").empty());
  REQUIRE(write_process_file(file, "boot", {{"sysmon", 42, 7, "f", true}}));
  const auto read = read_process_file(file, "boot");
  REQUIRE(read.size() == 1);
  CHECK(read[0].agent == "sysmon");
  CHECK(read[0].id() == ProcessId{42, 7});
  CHECK(read[0].ready);
  CHECK(read_process_file(file, "another boot").empty());
  std::ofstream(file) << "{\"boot\": 5";
  CHECK(read_process_file(file, "boot").empty());
}

TEST_CASE_METHOD(Fixture, "processes of a former node are ended, those that have gone are no trouble") {
  weft::test::ManualLoop loop;
  auto launcher = make_launcher(loop);
  std::vector<ProcessNote> notes{{"gone", 999'999, 1, "", true}};
  for (int i = 0; i < 2; ++i) {
    auto process = launcher->launch({"/bin/sleep", {"100"}, {}, folder + "/log"}, [](Exit) {});
    REQUIRE(process);
    notes.push_back({"x", (*process)->id().pid, (*process)->id().start_ticks, "", true});
  }
  bool done = false;
  TaskScope scope;
  scope.spawn([](Loop& on, Launcher& with, std::vector<ProcessNote> which, bool& flag) -> Task<void> {
    co_await end_processes(on, with, std::move(which), 5s);
    flag = true;
  }(loop, *launcher, notes, done));
  CHECK(loop.run_until([&] {
    loop.advance(1ms);
    return done;
  }));
  for (std::size_t i = 1; i < notes.size(); ++i) CHECK(start_ticks_of(notes[i].pid) == 0);
}
