#include "weft/policy/breaker.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::policy;

namespace {

struct Fixture {
  Policy::Breaker rules;
  Breaker breaker;
  TimePoint now{1h};
  std::vector<std::string> seen;

  void note(const std::optional<Breaker::Transition>& transition) {
    if (transition)
      seen.push_back(std::string(to_string(transition->from)) + ">" + std::string(to_string(transition->to)));
  }
  Breaker::Pass start() {
    REQUIRE(breaker.admits(rules, now));
    const auto [pass, transition] = breaker.started(rules, now);
    note(transition);
    return pass;
  }
  void end(Breaker::Pass pass, bool failed, Duration took = 1ms) {
    note(breaker.finished(rules, now, pass, failed, took));
  }
  void call(bool failed, Duration took = 1ms) { end(start(), failed, took); }
  void open() {
    for (std::uint32_t i = 0; i < rules.failures; ++i) call(true);
    REQUIRE(breaker.state() == BreakerState::open);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "failures in a row open it, and one success between them does not") {
  for (int i = 0; i < 4; ++i) call(true);
  call(false);
  for (int i = 0; i < 4; ++i) call(true);
  CHECK(breaker.state() == BreakerState::closed);
  call(true);
  CHECK(breaker.state() == BreakerState::open);
  CHECK_FALSE(breaker.admits(rules, now));
  CHECK(seen == std::vector<std::string>{"closed>open"});
}

TEST_CASE_METHOD(Fixture, "after its time one probe goes, and its success closes it") {
  open();
  now += rules.open_for - 1ns;
  CHECK_FALSE(breaker.admits(rules, now));
  now += 1ns;
  CHECK(breaker.wants_probe(rules, now));
  const auto probe = start();
  CHECK(breaker.state() == BreakerState::half_open);
  CHECK_FALSE(breaker.admits(rules, now));
  end(probe, false);
  CHECK(breaker.state() == BreakerState::closed);
  CHECK(seen == std::vector<std::string>{"closed>open", "open>half_open", "half_open>closed"});
  for (int i = 0; i < 4; ++i) call(true);
  CHECK(breaker.state() == BreakerState::closed);  // counts anew
}

TEST_CASE_METHOD(Fixture, "a probe that fails opens it for as long again") {
  open();
  now += rules.open_for;
  call(true);
  CHECK(breaker.state() == BreakerState::open);
  CHECK(breaker.snapshot(rules, now).open_left == rules.open_for);
  CHECK(breaker.snapshot(rules, now).opened == 2);
}

TEST_CASE_METHOD(Fixture, "as many probes as wanted must succeed, and no more are let through") {
  rules.probes = 3;
  open();
  now += rules.open_for;
  const auto a = start(), b = start(), c = start();
  CHECK_FALSE(breaker.admits(rules, now));
  end(a, false);
  end(b, false);
  CHECK(breaker.state() == BreakerState::half_open);
  end(c, false);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE_METHOD(Fixture, "calls that began before it opened say nothing about a probe") {
  const auto old_good = start(), old_bad = start();
  open();
  end(old_good, false);
  CHECK(breaker.state() == BreakerState::open);
  now += rules.open_for;
  const auto probe = start();
  end(old_bad, true);
  CHECK(breaker.state() == BreakerState::half_open);
  end(probe, false);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE_METHOD(Fixture, "a probe that was taken back leaves its place to another, as does one that never ends") {
  open();
  now += rules.open_for;
  breaker.dropped(start());
  CHECK(breaker.admits(rules, now));
  (void)start();
  CHECK_FALSE(breaker.admits(rules, now));
  now += rules.open_for;
  CHECK(breaker.admits(rules, now));
}

TEST_CASE_METHOD(Fixture, "a part of the calls failing opens it, once there are enough of them, within the window") {
  rules.failures = 0;
  rules.ratio = 0.5;
  for (int i = 0; i < 9; ++i) call(i % 2 == 0);
  CHECK(breaker.state() == BreakerState::closed);
  now += rules.window;
  for (int i = 0; i < 9; ++i) call(i % 2 == 0);
  CHECK(breaker.state() == BreakerState::closed);
  CHECK(breaker.snapshot(rules, now).calls == 9);
  CHECK(breaker.snapshot(rules, now).failures == 5);
  call(false);  // the tenth: 5 of 10
  CHECK(breaker.state() == BreakerState::closed);
  call(true);
  CHECK(breaker.state() == BreakerState::open);
}

TEST_CASE_METHOD(Fixture, "slow calls open it, though they succeed; a slow probe does not close it") {
  rules.slow = 100ms;
  rules.slow_ratio = 0.8;
  for (int i = 0; i < 2; ++i) call(false);
  for (int i = 0; i < 7; ++i) call(false, 100ms);
  CHECK(breaker.state() == BreakerState::closed);
  call(false, 1s);
  CHECK(breaker.state() == BreakerState::open);
  now += rules.open_for;
  call(false, 100ms);
  CHECK(breaker.state() == BreakerState::open);
  now += rules.open_for;
  call(false, 99ms);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE_METHOD(Fixture, "by hand it is open or closed whatever happens, until it is given back") {
  note(breaker.force(BreakerForce::open));
  CHECK_FALSE(breaker.admits(rules, now + 24h));
  CHECK_FALSE(breaker.wants_probe(rules, now + 24h));
  CHECK(breaker.state() == BreakerState::open);
  note(breaker.force(BreakerForce::closed));
  for (int i = 0; i < 100; ++i) call(true);
  CHECK(breaker.state() == BreakerState::closed);
  note(breaker.force(BreakerForce::none));
  for (int i = 0; i < 5; ++i) call(true);
  CHECK(breaker.state() == BreakerState::open);
  CHECK(seen == std::vector<std::string>{"closed>open", "open>closed", "closed>open"});
}

TEST_CASE_METHOD(Fixture, "rules without a limit never open it") {
  rules.failures = 0;
  for (int i = 0; i < 1000; ++i) call(true, 1h);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE("a caller's own mistakes are no failures of the instance, and one that is full is not broken") {
  for (const auto kind :
       {ErrorKind::invalid, ErrorKind::not_found, ErrorKind::duplicate, ErrorKind::denied, ErrorKind::cancelled}) {
    CHECK_FALSE(breaks(kind));
    CHECK_FALSE(counts_as_error(kind));
  }
  for (const auto kind : {ErrorKind::unavailable, ErrorKind::timeout, ErrorKind::disconnected, ErrorKind::internal}) {
    CHECK(breaks(kind));
    CHECK(counts_as_error(kind));
  }
  CHECK_FALSE(breaks(ErrorKind::overloaded));
  CHECK(counts_as_error(ErrorKind::overloaded));
}

// ---- what other callers say

TEST_CASE_METHOD(Fixture,
                 "another caller's word opens it, for a while; a call tries it then, and it doubts that word") {
  const auto heard = breaker.peer_opened(rules, now, 4s);
  CHECK(heard.followed);
  CHECK(heard.transition->to == BreakerState::open);
  CHECK(breaker.told());
  CHECK_FALSE(breaker.admits(rules, now + 4s - 1ns));
  now += 4s;
  call(false);
  CHECK(breaker.state() == BreakerState::closed);
  CHECK_FALSE(breaker.told());
  now += Breaker::kDoubt * rules.open_for - 1ns;
  CHECK_FALSE(breaker.peer_opened(rules, now, 4s).followed);
  CHECK(breaker.peer_opened(rules, now + 1ns, 4s).followed);
}

TEST_CASE_METHOD(Fixture, "a word that its teller takes back itself is believed the next time") {
  REQUIRE(breaker.peer_opened(rules, now, 4s).followed);
  CHECK(breaker.peer_closed(rules, now, false).transition->to == BreakerState::closed);
  CHECK_FALSE(breaker.peer_opened(rules, now, 4s).followed);
  CHECK_FALSE(breaker.peer_closed(rules, now, true).followed);  // it is closed already
  CHECK(breaker.peer_opened(rules, now, 4s).followed);
  CHECK(breaker.peer_closed(rules, now, true).followed);
  CHECK(breaker.peer_opened(rules, now, 4s).followed);
}

TEST_CASE_METHOD(Fixture,
                 "others' word keeps it open for ten periods in a row at most, then a call of its own decides") {
  const TimePoint begin = now;
  while (now < begin + Breaker::kPatience * rules.open_for) {
    REQUIRE(breaker.peer_opened(rules, now, 4s).followed);
    REQUIRE_FALSE(breaker.admits(rules, now));
    now += 1s;
  }
  CHECK_FALSE(breaker.peer_opened(rules, now, 4s).followed);
  call(true);  // its own now
  CHECK(breaker.state() == BreakerState::open);
  CHECK_FALSE(breaker.told());
  CHECK(breaker.snapshot(rules, now).open_left == rules.open_for);
  CHECK(breaker.peer_opened(rules, now, 4s).followed);
}

TEST_CASE_METHOD(Fixture, "what own calls opened is probed, not closed, when another caller finds it well") {
  open();
  CHECK(breaker.peer_closed(rules, now, false).followed);
  CHECK(breaker.state() == BreakerState::open);
  call(true);
  CHECK(breaker.state() == BreakerState::open);
  CHECK_FALSE(breaker.admits(rules, now));
  (void)breaker.peer_closed(rules, now, false);
  call(false);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE_METHOD(Fixture, "while another caller probes an own probe waits; an own probe that is on its way decides") {
  CHECK_FALSE(breaker.peer_probes(rules, now, 4s).followed);  // closed stays closed
  CHECK(breaker.state() == BreakerState::closed);
  open();
  now += rules.open_for;
  CHECK(breaker.peer_probes(rules, now, 4s).followed);
  CHECK_FALSE(breaker.admits(rules, now));
  now += 4s;
  const auto probe = start();
  CHECK_FALSE(breaker.peer_probes(rules, now, 4s).followed);
  CHECK_FALSE(breaker.peer_opened(rules, now, 4s).followed);
  CHECK_FALSE(breaker.peer_closed(rules, now, true).followed);
  end(probe, false);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE_METHOD(Fixture, "what others opened and nobody renews ends by itself, what own calls opened does not") {
  REQUIRE(breaker.peer_opened(rules, now, 4s).followed);
  CHECK_FALSE(breaker.lapse(rules, now + 4s + rules.open_for - 1ns));
  CHECK(breaker.lapse(rules, now + 4s + rules.open_for)->to == BreakerState::closed);
  open();
  CHECK_FALSE(breaker.lapse(rules, now + 24h));
}

TEST_CASE_METHOD(Fixture, "by hand it does not listen to others, and given back it begins anew") {
  (void)breaker.force(BreakerForce::closed);
  CHECK_FALSE(breaker.peer_opened(rules, now, 4s).followed);
  CHECK(breaker.admits(rules, now));
  (void)breaker.force(BreakerForce::none);
  CHECK(breaker.peer_opened(rules, now, 4s).followed);
  (void)breaker.force(BreakerForce::none);
  CHECK(breaker.admits(rules, now));
}

TEST_CASE_METHOD(Fixture, "a circuit that own calls opened is probed at once when the instance answers again") {
  open();
  CHECK_FALSE(breaker.wants_probe(rules, now));
  breaker.probe_now(now);
  CHECK(breaker.wants_probe(rules, now));
  call(false);
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE_METHOD(Fixture, "one that answers again says nothing about what another caller reported") {
  REQUIRE(breaker.peer_opened(rules, now, rules.open_for).followed);
  breaker.probe_now(now);
  CHECK_FALSE(breaker.admits(rules, now));
}
