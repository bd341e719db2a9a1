#include "node/supervisor.hpp"

#include <set>

#include "tests/unit/node/supervisor_fixture.hpp"

using namespace weft;
using namespace weft::node;
using Fixture = weft::node::test::SupervisorFixture;
using weft::node::test::kKilled, weft::node::test::kOk, weft::node::test::Names, weft::node::test::unit;

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
  CHECK(observer.ends[0].why == "was killed by signal 9 (SIGKILL, Killed)");
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
