#include "node/restart.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::node;
using Action = Decision::Action;

namespace {
constexpr Exit kOk{Exit::How::exited, 0}, kFailed{Exit::How::exited, 1}, kKilled{Exit::How::signalled, 9},
    kBadConfig{Exit::How::exited, 78}, kUsage{Exit::How::exited, 64}, kUnknown{Exit::How::unknown, 0};

RestartPolicy::Options of(Restart kind) {
  RestartPolicy::Options options;
  options.kind = kind;
  return options;
}

struct Fixture {
  Decision exit(const Exit& how, Duration ran = 0s) { return policy.on_exit(clock.now(), how, ran); }
  ManualClock clock;
  RestartPolicy policy{RestartPolicy::Options{}};
};
}  // namespace

TEST_CASE("each restart kind treats each way to end as its name says") {
  struct Row {
    Restart kind;
    Exit exit;
    Action wanted;
  };
  const auto row = GENERATE(values<Row>({
      {Restart::permanent, kOk, Action::restart},
      {Restart::permanent, kFailed, Action::restart},
      {Restart::permanent, kKilled, Action::restart},
      {Restart::permanent, kUnknown, Action::restart},
      {Restart::permanent, kBadConfig, Action::give_up},
      {Restart::permanent, kUsage, Action::give_up},
      {Restart::transient, kOk, Action::rest},
      {Restart::transient, kFailed, Action::restart},
      {Restart::transient, kKilled, Action::restart},
      {Restart::transient, kBadConfig, Action::give_up},
      {Restart::temporary, kOk, Action::rest},
      {Restart::temporary, kFailed, Action::give_up},
      {Restart::temporary, kKilled, Action::give_up},
  }));
  RestartPolicy policy(of(row.kind));
  INFO(to_string(row.kind) << ", " << row.exit.text());
  CHECK(policy.on_exit(TimePoint{}, row.exit, 0s).action == row.wanted);
}

TEST_CASE_METHOD(Fixture, "delays double from 100 ms, and the sixth end within a minute is a crash loop") {
  for (const auto delay : {100ms, 200ms, 400ms, 800ms, 1600ms}) {
    const auto decision = exit(kFailed);
    CHECK(decision.action == Action::restart);
    CHECK(decision.delay == delay);
    clock.advance(delay);
  }
  const auto last = exit(kFailed);
  CHECK(last.action == Action::give_up);
  CHECK(last.crash_loop);
}

TEST_CASE_METHOD(Fixture, "the first restart after a healthy run is immediate, and the next delay small again") {
  CHECK(exit(kFailed).delay == 100ms);
  CHECK(exit(kFailed).delay == 200ms);
  CHECK(exit(kKilled, 10s).delay == 400ms);
  CHECK(exit(kKilled, 10s + 1ns).delay == 0s);
  CHECK(exit(kFailed).delay == 100ms);
}

TEST_CASE_METHOD(Fixture, "restarts older than the window do not count") {
  for (int i = 0; i < 5; ++i) CHECK(exit(kFailed).action == Action::restart);
  clock.advance(60s);
  CHECK(exit(kFailed).action == Action::give_up);
  clock.advance(1ns);
  CHECK(exit(kFailed).action == Action::restart);
}

TEST_CASE_METHOD(Fixture, "what a person starts again begins with a clean sheet") {
  for (int i = 0; i < 6; ++i) (void)exit(kFailed);
  policy.forget();
  CHECK(exit(kFailed).delay == 100ms);
}

TEST_CASE("without any allowed restart the first failure is final") {
  RestartPolicy::Options options;
  options.restarts_max = 0;
  CHECK(RestartPolicy(options).on_exit(TimePoint{}, kFailed, 0s).action == Action::give_up);
}

TEST_CASE("an essential process is never given up, and says so when it loops") {
  RestartPolicy::Options options;
  options.restarts_max = 2;
  options.essential = true;
  RestartPolicy policy(options);
  ManualClock clock;
  CHECK(policy.on_exit(clock.now(), kFailed, 0s).delay == 100ms);
  CHECK(policy.on_exit(clock.now(), kBadConfig, 0s).delay == 200ms);
  const auto looping = policy.on_exit(clock.now(), kFailed, 0s);
  CHECK(looping.action == Action::restart);
  CHECK(looping.crash_loop);
  CHECK(looping.delay == 60s);
}

TEST_CASE("an end is told in words that say which signal or code") {
  CHECK(kFailed.text() == "exited with 1");
  CHECK(kKilled.text() == "was killed by signal 9 (SIGKILL, Killed)");
  CHECK(from_text("transeint", std::type_identity<Restart>{}).error().message ==
        "wanted permanent, transient or temporary, got 'transeint', did you mean 'transient'?");
}
