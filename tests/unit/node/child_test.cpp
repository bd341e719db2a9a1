// Notifications of one process: readiness, silence, and which processes may send them.
#include "node/child.hpp"

#include "tests/unit/node/supervisor_fixture.hpp"

using namespace weft;
using namespace weft::node;
using Fixture = weft::node::test::SupervisorFixture;
using weft::node::test::FakeLauncher, weft::node::test::kKilled, weft::node::test::Names, weft::node::test::unit;

TEST_CASE_METHOD(Fixture, "what is not ready in time is killed and tried again") {
  start({unit("a")});
  loop.advance(10s, 1s);
  CHECK(signalled("a", SIGKILL));
  end("a", kKilled);
  CHECK(observer.ends[0].why ==
        "was not ready within 10s (no READY=1 on NOTIFY_SOCKET) and was killed by signal 9 (SIGKILL, Killed)");
  CHECK(observer.ends[0].reason == "start_timeout");
  CHECK(state("a") == State::backoff);
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
