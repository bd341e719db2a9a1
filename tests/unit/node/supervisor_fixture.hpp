// A supervisor with processes that exist only as numbers, and time that a test moves.
#pragma once
#include <algorithm>

#include "node/supervisor.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/node/fake_launcher.hpp"

namespace weft::node::test {

using Names = std::vector<std::string>;
inline constexpr Exit kKilled{Exit::How::signalled, 9}, kOk{Exit::How::exited, 0};

struct SupervisorFixture {
  void settle() {
    while (loop.turn()) {
    }
  }
  void ready(const std::string& name) {
    Notification said;
    said.pid = launcher.pid_of(name);
    said.ready = true;
    supervisor.notified(said);
    settle();
  }
  void end(const std::string& name, Exit exit) {
    launcher.end(launcher.pid_of(name), exit);
    settle();
  }
  void start(std::vector<Unit> units) {
    for (auto& one : units) supervisor.add(std::move(one));
    supervisor.start();
    settle();
  }
  bool stop(Names names, Duration budget = 9s) {
    stopped = false;
    scope.spawn([](SupervisorFixture& self, Names n, Duration b) -> Task<void> {
      co_await self.supervisor.stop(std::move(n), b);
      self.stopped = true;
    }(*this, std::move(names), budget));
    settle();
    return stopped;
  }
  bool signalled(const std::string& name, int number) {
    const auto found = launcher.live.find(launcher.pid_of(name));
    if (found == launcher.live.end()) return false;
    const auto& signals = found->second.signals;
    return std::find(signals.begin(), signals.end(), number) != signals.end();
  }
  const Status& status(const std::string& name) { return std::as_const(supervisor).find(name)->status(); }
  State state(const std::string& name) { return status(name).state; }

  weft::test::ManualLoop loop;
  FakeLauncher launcher;
  RecordingObserver observer;
  Supervisor supervisor{loop, launcher, observer};
  TaskScope scope;
  bool stopped = false;
};

}  // namespace weft::node::test
