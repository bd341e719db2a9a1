#include "node/supervisor.hpp"

#include <algorithm>
#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/unit/node/fake_launcher.hpp"

using namespace weft;
using namespace weft::node;
using weft::node::test::FakeLauncher;
using weft::node::test::RecordingObserver;
using weft::node::test::unit;
using Names = std::vector<std::string>;

namespace {

constexpr Exit kKilled{Exit::How::signalled, 9}, kOk{Exit::How::exited, 0};

struct Fixture {
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
    scope.spawn([](Fixture& self, Names n, Duration b) -> Task<void> {
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

}  // namespace

TEST_CASE_METHOD(Fixture, "nothing to run is settled at once and stops at once") {
  start({});
  CHECK(supervisor.is_settled());
  CHECK(stop({}));
}

TEST_CASE_METHOD(Fixture, "an agent starts as soon as what it needs is ready, not before") {
  start({unit("a"), unit("b", {"a"}), unit("c", {"a"}), unit("d", {"b", "c"})});
  CHECK(launcher.launched == Names{"a"});
  CHECK(status("b").why == "waits for a");
  ready("a");
  CHECK(launcher.launched == Names{"a", "b", "c"});
  CHECK(state("b") == State::starting);
  CHECK(status("b").why.empty());
  ready("b");
  CHECK(launcher.launched.size() == 3);
  ready("c");
  CHECK(launcher.launched.back() == "d");
  CHECK_FALSE(supervisor.is_settled());
  ready("d");
  CHECK(supervisor.is_settled());
}

TEST_CASE_METHOD(Fixture, "only so many start at once, and the next when one is ready") {
  Supervisor two(loop, launcher, observer, 2);
  for (const auto* name : {"a", "b", "c", "d"}) two.add(unit(name));
  const auto is_ready = [&](const std::string& name) {
    Notification said;
    said.pid = launcher.pid_of(name);
    said.ready = true;
    two.notified(said);
    settle();
  };
  two.start();
  settle();
  CHECK(launcher.launched == Names{"a", "b"});
  CHECK(std::as_const(two).find("c")->status().why == "waits for its turn to start");
  CHECK_FALSE(two.is_settled());
  is_ready("b");
  CHECK(launcher.launched == Names{"a", "b", "c"});
  end("c", kKilled);  // its restart takes a place like a first start
  CHECK(launcher.launched == Names{"a", "b", "c", "d"});
  loop.advance(1s);
  CHECK(launcher.launched.size() == 4);
  is_ready("d");
  CHECK(launcher.launched == Names{"a", "b", "c", "d", "c"});
}

TEST_CASE_METHOD(Fixture, "a slow start gives its place away, and its time counts from its own start") {
  Supervisor one(loop, launcher, observer, 1);
  for (const auto* name : {"slow", "next"}) one.add(unit(name));
  one.start();
  settle();
  CHECK(launcher.launched == Names{"slow"});
  loop.advance(Supervisor::kStartPlace + 500ms);
  CHECK(launcher.launched == Names{"slow", "next"});
  loop.advance(10s - Supervisor::kStartPlace - 500ms, 500ms);
  CHECK(signalled("slow", SIGKILL));
  CHECK_FALSE(signalled("next", SIGKILL));
  loop.advance(Supervisor::kStartPlace + 500ms, 500ms);
  CHECK(signalled("next", SIGKILL));
}

TEST_CASE_METHOD(Fixture, "a killed process starts again after its delay, and others are left alone") {
  start({unit("a"), unit("b", {"a"})});
  ready("a");
  ready("b");
  end("a", kKilled);
  CHECK(state("a") == State::backoff);
  CHECK(state("b") == State::ready);
  REQUIRE(observer.ends.size() == 1);
  CHECK(observer.ends[0].why == "was killed by signal 9 (Killed)");
  CHECK(observer.ends[0].decision.delay == 100ms);
  loop.advance(100ms);
  CHECK(state("a") == State::starting);
  CHECK(status("a").restarts == 1);
  CHECK(launcher.launched == Names{"a", "b", "a"});
}

TEST_CASE_METHOD(Fixture, "a process killed after a healthy run is back at once") {
  start({unit("a")});
  ready("a");
  loop.advance(11s, 1s);
  end("a", kKilled);
  CHECK(state("a") == State::starting);
}

TEST_CASE_METHOD(Fixture, "what is not ready in time is killed and tried again") {
  start({unit("a")});
  loop.advance(10s, 1s);
  CHECK(signalled("a", SIGKILL));
  end("a", kKilled);
  CHECK(observer.ends[0].why == "was not ready within 10s and was killed by signal 9 (Killed)");
  CHECK(observer.ends[0].reason == "start_timeout");
  CHECK(state("a") == State::backoff);
}

TEST_CASE_METHOD(Fixture, "bad configuration ends in failed, and what needs it stays waiting and says why") {
  start({unit("a"), unit("b", {"a"}), unit("c", {"b"})});
  end("a", {Exit::How::exited, 78});
  CHECK(state("a") == State::failed);
  CHECK(status("b").why == "waits for a (failed)");
  CHECK(supervisor.is_settled());
  loop.advance(2min, 1s);
  CHECK(launcher.launched == Names{"a"});
}

TEST_CASE_METHOD(Fixture, "a program that cannot be started is told and tried again with backoff") {
  launcher.refuse = true;
  start({unit("a")});
  CHECK(state("a") == State::backoff);
  CHECK(status("a").why == "no such program");
  launcher.refuse = false;
  loop.advance(100ms);
  CHECK(state("a") == State::starting);
}

TEST_CASE_METHOD(Fixture, "a one-shot job that exited with 0 satisfies those that need it") {
  auto job = unit("job");
  job.restart.kind = Restart::temporary;
  start({job, unit("b", {"job"})});
  end("job", kOk);
  CHECK(state("job") == State::done);
  CHECK(launcher.launched == Names{"job", "b"});
}

TEST_CASE_METHOD(Fixture, "stopping goes in reverse order of needs and restarts nothing") {
  start({unit("a"), unit("b", {"a"}), unit("c", {"a"})});
  ready("a");
  ready("b");
  ready("c");
  CHECK_FALSE(stop({"a", "b", "c"}));
  CHECK(signalled("b", SIGTERM));
  CHECK(signalled("c", SIGTERM));
  CHECK_FALSE(signalled("a", SIGTERM));
  end("b", kOk);
  CHECK_FALSE(signalled("a", SIGTERM));
  end("c", kKilled);
  CHECK(signalled("a", SIGTERM));
  end("a", kOk);
  CHECK(stopped);
  CHECK(state("c") == State::stopped);
  CHECK(launcher.launched.size() == 3);
}

TEST_CASE_METHOD(Fixture, "what ignores TERM is killed after its stop timeout") {
  start({unit("a")});
  ready("a");
  stop({"a"});
  loop.advance(5s - 10ms);
  CHECK_FALSE(signalled("a", SIGKILL));
  loop.advance(10ms);
  CHECK(signalled("a", SIGKILL));
  end("a", kKilled);
  CHECK(stopped);
  CHECK(observer.ends[0].reason == "stop_timeout");
}

TEST_CASE_METHOD(Fixture, "when the budget is spent everything that still runs is killed at once") {
  start({unit("a"), unit("b", {"a"})});
  ready("a");
  ready("b");
  stop({"a", "b"}, 1s);
  loop.advance(1s);
  CHECK(signalled("a", SIGKILL));
  CHECK(signalled("b", SIGKILL));
}

TEST_CASE_METHOD(Fixture, "stopping before everything has started starts no more") {
  start({unit("a"), unit("b", {"a"})});
  stop({"a", "b"});
  CHECK(state("b") == State::stopped);
  end("a", kOk);
  CHECK(stopped);
  CHECK(launcher.launched == Names{"a"});
}

TEST_CASE_METHOD(Fixture, "one agent can be stopped and started by name, and others go on") {
  start({unit("sysmon"), unit("b", {"sysmon"})});
  ready("sysmon");
  ready("b");
  stop({"sysmon"});
  CHECK(signalled("sysmon", SIGTERM));
  end("sysmon", kOk);
  CHECK(state("sysmon") == State::stopped);
  CHECK(state("b") == State::ready);
  REQUIRE(supervisor.start_one("sysmon"));
  settle();
  CHECK(state("sysmon") == State::starting);
  CHECK(supervisor.start_one("sysmom").error().message == "no agent 'sysmom' on this host, did you mean 'sysmon'?");
}

TEST_CASE_METHOD(Fixture, "once it has petted the watchdog it must go on to") {
  start({unit("a")});
  ready("a");
  loop.advance(30s, 1s);
  CHECK_FALSE(signalled("a", SIGABRT));
  Notification pet;
  pet.pid = launcher.pid_of("a");
  pet.watchdog = true;
  supervisor.notified(pet);
  loop.advance(9s, 1s);
  supervisor.notified(pet);
  loop.advance(9s, 1s);
  CHECK_FALSE(signalled("a", SIGABRT));
  loop.advance(1s);
  CHECK(signalled("a", SIGABRT));
  loop.advance(2s);
  CHECK(signalled("a", SIGKILL));
  end("a", {Exit::How::signalled, SIGABRT});
  CHECK(observer.ends[0].reason == "watchdog");
}

TEST_CASE_METHOD(Fixture, "what petted the watchdog before it was ready is watched from then on") {
  start({unit("a")});
  Notification pet;
  pet.pid = launcher.pid_of("a");
  pet.watchdog = true;
  supervisor.notified(pet);
  ready("a");
  loop.advance(10s, 1s);
  CHECK(signalled("a", SIGABRT));
}

TEST_CASE_METHOD(Fixture, "what waits in the notify socket is read before anybody is ended for silence") {
  const auto from = [this](const std::string& name, bool is_ready) {
    Notification one;
    one.pid = launcher.pid_of(name);
    one.ready = is_ready;
    one.watchdog = !is_ready;
    return one;
  };
  std::vector<Notification> unread;
  supervisor.before_judging([&] {
    for (const auto& one : std::exchange(unread, {})) supervisor.notified(one);
  });
  start({unit("a"), unit("b")});
  ready("b");
  supervisor.notified(from("b", false));
  loop.advance(9s, 1s);
  unread = {from("a", true), from("b", false)};
  loop.advance(9s, 1s);
  CHECK(state("a") == State::ready);
  CHECK(launcher.live.at(launcher.pid_of("a")).signals.empty());
  CHECK(launcher.live.at(launcher.pid_of("b")).signals.empty());
  loop.advance(2s, 1s);  // 10 s after it was read
  CHECK(signalled("b", SIGABRT));
}

TEST_CASE_METHOD(Fixture, "a node that stood still itself gives every child a new start") {
  start({unit("slow"), unit("quiet"), unit("other")});
  for (const auto* name : {"quiet", "other"}) {
    Notification pet;
    pet.pid = launcher.pid_of(name);
    pet.ready = pet.watchdog = true;
    supervisor.notified(pet);
  }
  loop.advance(2s, 1s);
  loop.advance(20s, 20s);  // one turn, 20 s later
  for (const auto* name : {"slow", "quiet", "other"}) CHECK(launcher.live.at(launcher.pid_of(name)).signals.empty());
  loop.advance(9s, 1s);
  for (const auto* name : {"slow", "quiet", "other"}) CHECK(launcher.live.at(launcher.pid_of(name)).signals.empty());
  loop.advance(1s, 1s);
  CHECK(signalled("slow", SIGKILL));
  CHECK(signalled("quiet", SIGABRT));
  CHECK(signalled("other", SIGABRT));
}

TEST_CASE_METHOD(Fixture, "a child that is being ended gets no new start while the node stands still") {
  start({unit("a")});
  loop.advance(10s, 1s);
  REQUIRE(signalled("a", SIGKILL));
  loop.advance(20s, 20s);
  end("a", kKilled);
  CHECK(observer.ends[0].reason == "start_timeout");
}

TEST_CASE_METHOD(Fixture, "an instance in the registry counts as ready when its process is the unit's") {
  start({unit("a"), unit("b", {"a"})});
  supervisor.registered("a", 4711);
  supervisor.registered("nobody", launcher.pid_of("a"));
  CHECK(state("a") == State::starting);
  supervisor.registered("a", launcher.pid_of("a"));
  settle();
  CHECK(state("a") == State::ready);
  CHECK(launcher.launched == Names{"a", "b"});
}

TEST_CASE_METHOD(Fixture, "a process that a wrapper script started in its group speaks for it") {
  start({unit("a")});
  Notification said;
  said.pid = launcher.pid_of("a") + FakeLauncher::kHelper;
  said.ready = true;
  supervisor.notified(said);
  CHECK(state("a") == State::ready);
}

TEST_CASE_METHOD(Fixture, "a process of a former node is taken over, and one that is gone is not") {
  supervisor.add(unit("a"));
  supervisor.add(unit("b", {"a"}));
  CHECK(supervisor.adopt("a", {55, 1}));
  CHECK_FALSE(supervisor.adopt("b", {56, 7}));
  supervisor.start();
  settle();
  CHECK(launcher.launched == Names{"b"});
  launcher.end(55, {Exit::How::unknown, 0});
  CHECK(state("a") == State::backoff);
}

TEST_CASE("in random graphs nothing starts before its needs are ready or stops before its users have ended") {
  Random random(static_cast<std::uint64_t>(GENERATE(range(1, 40))));
  Fixture f;
  std::map<std::string, Names> needs;
  Names all;
  std::vector<Unit> units;
  const auto count = 1 + random.below(20);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto name = "n" + std::to_string(i);
    for (const auto& other : all) {
      if (random.below(4) == 0) needs[name].push_back(other);
    }
    units.push_back(unit(name, needs[name]));
    all.push_back(name);
  }
  f.start(std::move(units));
  std::set<std::string> is_ready;
  while (is_ready.size() < count) {
    Names starting;
    for (const auto& [pid, process] : f.launcher.live) {
      for (const auto& need : needs[process.name]) CHECK(is_ready.contains(need));
      if (!is_ready.contains(process.name)) starting.push_back(process.name);
    }
    REQUIRE_FALSE(starting.empty());
    const auto next = starting[random.below(starting.size())];
    is_ready.insert(next);
    f.ready(next);
  }
  f.stop(all);
  while (!f.launcher.live.empty()) {
    Names ending;
    for (const auto& [pid, process] : f.launcher.live) {
      if (process.signals.empty()) continue;
      for (const auto& [other, user] : f.launcher.live) {
        const auto& wants = needs[user.name];
        CHECK(std::find(wants.begin(), wants.end(), process.name) == wants.end());
      }
      ending.push_back(process.name);
    }
    REQUIRE_FALSE(ending.empty());
    f.end(ending[random.below(ending.size())], kOk);
  }
  CHECK(f.stopped);
}
