#include "agents/probe/target_actor.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "tests/support/catch.hpp"
#include "weft/actor_test.hpp"

using namespace weft;
using namespace weft::probe;

namespace {
struct UnderWay {
  explicit UnderWay(std::size_t& number) : count(++number) {}
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { --count; }
  std::size_t& count;
};

/// Targets "t0", "t1", …, under a supervisor, with checks that the test rules.
struct Targeted {
  Targeted(std::size_t count, std::size_t permits, Duration period = 10s) {
    std::vector<Target> targets(count);
    for (std::size_t i = 0; i < count; ++i) {
      targets[i].name = "t" + std::to_string(i);
      targets[i].period = period;
      targets[i].rise = targets[i].fall = 2;
    }
    Plan plan;
    plan.targets = std::make_shared<const std::vector<Target>>(std::move(targets));
    plan.check = [this](std::shared_ptr<const Target> target) { return check(std::move(target)); };
    plan.gate = system.spawn<Gate>(permits).value();
    plan.board = system.spawn<Board>(plan.targets, "alpha", [](auto, const auto&, const auto&) {}).value();
    plan.seed = 3;
    board = plan.board;
    actor::SupervisorOptions supervision;
    supervision.total_limit.restarts = 0;
    const auto supervisor = system.start(actor::supervisor({}, supervision, {})).value();
    auto shared = std::make_shared<const Plan>(std::move(plan));
    for (std::uint32_t i = 0; i < count; ++i) {
      actor::ChildOptions options;
      options.name = "t" + std::to_string(i);
      actors.push_back(system.start<TargetActor>(supervisor, options, shared, i).value());
    }
    system.run_until_idle();
  }
  Task<Result<void>> check(std::shared_ptr<const Target> target) {
    const UnderWay guard(under_way);
    most = std::max(most, under_way);
    begun[target->name].push_back(system.now());
    auto here = actor::Context::current();
    if (took > Duration()) co_await here.sleep(took);
    if (target->name == throws) throw std::runtime_error("the check broke");
    if (target->name == fails) co_return Error(codes::bad_value, "no answer");
    co_return Result<void>();
  }
  std::vector<TargetStatus> list() { return system.answer(system.ask(board, Board::List())).value(); }
  /// "restarts" of each event of that kind about that actor.
  std::vector<std::string> told(const std::string& kind, const std::string& name) const {
    std::vector<std::string> found;
    for (const auto& event : monitor.snapshot().latest) {
      if (event.kind != kind || event.name != name) continue;
      for (const auto& field : event.fields)
        if (field.key == "restarts") found.push_back(field.value);
    }
    return found;
  }

  std::map<std::string, std::vector<TimePoint>> begun;
  std::size_t under_way = 0, most = 0;
  Duration took = 1s;
  std::string throws, fails;
  actor::RecordingMonitor monitor;
  actor::TestSystem system{1, {}, &monitor};
  actor::Ref<Board> board;
  std::vector<actor::Ref<TargetActor>> actors;
};
}  // namespace

TEST_CASE("a target is checked soon, then a period after each check began, give or take a tenth") {
  Targeted targets(1, 1);
  const TimePoint start = targets.system.now();
  targets.system.advance(1000s);
  const auto& times = targets.begun["t0"];
  REQUIRE(times.size() > 90);
  CHECK(times.front() - start < 10s);
  for (std::size_t i = 1; i < times.size(); ++i) {
    CHECK(times[i] - times[i - 1] >= 9s);
    CHECK(times[i] - times[i - 1] <= 11s);
  }
  CHECK(std::adjacent_find(times.begin(), times.end()) == times.end());
}

TEST_CASE("never more checks are under way than there are permits, and no target goes without") {
  Targeted targets(100, 3);
  targets.system.advance(200s);
  CHECK(targets.most == 3);
  for (const auto& status : targets.list()) {
    CHECK(status.checks >= 3);
    CHECK(status.state == State::up);
  }
}

TEST_CASE("a bad answer counts against its target only") {
  Targeted targets(2, 2);
  targets.fails = "t1";
  targets.system.advance(35s);
  const auto list = targets.list();
  CHECK(list[0].failures == 0);
  CHECK(list[0].state == State::up);
  CHECK(list[1].failures == list[1].checks);
  CHECK(list[1].state == State::down);
  CHECK(list[1].last_error == "no answer");
}

TEST_CASE("a check that throws is a failure of its actor, which is restarted while the others go on") {
  Targeted targets(3, 1);
  targets.throws = "t1";
  targets.system.advance(25s);
  const auto failures = targets.told("failed", "t1");
  REQUIRE(failures.size() >= 2);
  CHECK(failures[0] == "0");
  CHECK(failures[1] == "1");
  CHECK(targets.told("restarted", "t1").size() == failures.size());
  CHECK(targets.told("failed", "t0").empty());
  auto list = targets.list();
  CHECK(list[1].failures == failures.size());
  CHECK(list[1].last_error == "the check broke");
  CHECK(list[0].state == State::up);
  CHECK(list[2].checks >= 2);
  targets.throws.clear();
  targets.system.advance(25s);
  CHECK(targets.list()[1].state == State::up);
}

TEST_CASE("a target whose checks always throw is given up, and the others are not") {
  Targeted targets(3, 3, 1s);
  targets.took = {};
  targets.throws = "t1";
  targets.system.advance(60s);
  CHECK(targets.told("gave_up", "t1") == std::vector<std::string>{"5"});
  CHECK(targets.list()[1].checks == 6);
  CHECK(targets.list()[0].checks > 50);
  CHECK_FALSE(targets.system.failure());
}

TEST_CASE("the permit of a check that throws comes back") {
  Targeted targets(2, 1);
  targets.throws = "t0";
  targets.system.advance(60s);
  CHECK(targets.list()[1].checks >= 4);
}

TEST_CASE("the permit of a target that is stopped in the middle of its check comes back") {
  Targeted targets(2, 1, 1h);
  targets.took = 1h;
  targets.system.advance(10s);
  REQUIRE(targets.under_way == 1);
  const std::size_t first = targets.begun.contains("t0") ? 0 : 1;
  targets.system.stop(targets.actors[first]);
  targets.system.run_until_idle();
  CHECK(targets.begun.size() == 2);
  CHECK(targets.under_way == 1);
}

TEST_CASE("a check that is asked for is answered with what it found, after the one under way") {
  Targeted targets(1, 5, 1h);
  auto first = targets.system.ask(targets.actors[0], TargetActor::CheckNow());
  auto second = targets.system.ask(targets.actors[0], TargetActor::CheckNow());
  targets.system.advance(1500ms);
  REQUIRE(first.ready());
  CHECK_FALSE(second.ready());
  CHECK(targets.most == 1);
  targets.system.advance(1s);
  const auto finding = second.wait().value();
  CHECK(finding.good);
  CHECK(finding.state == State::up);
  CHECK(finding.latency_ms == 1000);
  CHECK(targets.list()[0].checks == 2);
}

TEST_CASE("who asks for a check that throws is told, and so is the supervisor") {
  Targeted targets(1, 1, 1h);
  targets.throws = "t0";
  auto asked = targets.system.ask(targets.actors[0], TargetActor::CheckNow());
  targets.system.advance(1s);
  REQUIRE(asked.ready());
  CHECK(asked.wait().error().is(codes::actor_failed));
  CHECK(targets.told("failed", "t0") == std::vector<std::string>{"0"});
}
