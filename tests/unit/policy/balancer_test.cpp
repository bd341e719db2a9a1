#include "weft/policy/balancer.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::policy;

namespace {

struct Fixture {
  Random random{7};
  TimePoint now{1h};
  Policy policy;
  Selector ask;
  std::vector<TargetStats> stats_list;

  TargetStats& add(bool local = true, double ms = 1) {
    TargetStats stats;
    stats.instance_state = std::make_shared<InstanceState>();
    stats.instance_state->id = Ulid::make(wall_from_us(1), random);
    stats.instance_state->place = random.next();
    stats.instance_state->host = local ? "alpha" : "beta";
    stats.instance_state->local = local;
    stats_list.push_back(std::move(stats));
    if (ms > 0) stats_list.back().measure(now, false, Duration(static_cast<std::int64_t>(ms * 1e6)));
    return stats_list.back();
  }
  std::size_t pick() { return choose(stats_list, policy, ask, now, random.next()).index; }
  Choice::Refused refused() { return choose(stats_list, policy, ask, now, random.next()).refused; }
  /// How many of `count` calls each one gets, when a call to `i` takes what `took(i)` says and fails when `fails(i)`.
  template <class Took, class Fails>
  std::vector<int> shares(int count, Took took, Fails fails) {
    std::vector<int> got(stats_list.size());
    for (int n = 0; n < count; ++n) {
      const auto i = pick();
      REQUIRE(i < stats_list.size());
      ++got[i];
      const Duration time = took(i);
      now += time;
      stats_list[i].measure(now, fails(i), time);
    }
    return got;
  }
  template <class Took>
  std::vector<int> shares(int count, Took took) {
    return shares(count, took, [](std::size_t) { return false; });
  }
  void open(TargetStats& stats) {
    for (std::uint32_t i = 0; i < policy.breaker.failures; ++i) {
      const auto pass = stats.breaker.started(policy.breaker, now).first;
      (void)stats.breaker.finished(policy.breaker, now, pass, true, 1ms);
    }
  }
};

Duration even(std::size_t) { return 1ms; }

}  // namespace

TEST_CASE_METHOD(Fixture, "nobody is nobody, one is taken") {
  CHECK(refused() == Choice::Refused::nobody);
  add();
  CHECK(pick() == 0);
}

TEST_CASE_METHOD(Fixture, "a choice says what told the one that was taken from the others") {
  const auto why = [&] { return choose(stats_list, policy, ask, now, random.next()).why; };
  CHECK(why() == WhyChosen::none);
  add();
  CHECK(why() == WhyChosen::only);
  add();
  CHECK(why() == WhyChosen::nearest);
  ask.balance = Balance::round_robin;
  CHECK(why() == WhyChosen::turn);
  ask.balance = Balance::random_two;
  CHECK(why() == WhyChosen::two);
  ask.balance = Balance::hash;
  CHECK(why() == WhyChosen::nearest);  // there is no key
  ask.key = "k";
  CHECK(why() == WhyChosen::hash);
  open(stats_list[0]);
  CHECK(why() == WhyChosen::only);
  now += policy.breaker.open_for;
  CHECK(why() == WhyChosen::probe);
}

TEST_CASE_METHOD(Fixture, "the own host goes first, measured or not, and its instances share alike") {
  add(false, 0);
  add(true, 0);
  add(true);
  add(false);
  const auto got = shares(1000, even);
  CHECK(got[0] + got[3] == 0);
  CHECK(got[1] > 350);
  CHECK(got[2] > 350);
}

TEST_CASE_METHOD(Fixture, "of those that are near, the one with the least in flight is taken") {
  add().instance_state->in_flight = 3;
  add().instance_state->in_flight = 2;
  add(false);
  for (int i = 0; i < 20; ++i) CHECK(pick() == 1);
}

TEST_CASE_METHOD(Fixture, "a local instance that is ten times slower than a remote one loses, once that is measured") {
  add(true, 0);
  add(false, 0);
  const auto got = shares(1000, [](std::size_t i) -> Duration { return i == 0 ? 50ms : 5ms; });
  CHECK(got[0] < 50);
  CHECK(got[1] > 950);
}

TEST_CASE_METHOD(Fixture, "a remote instance that is a little faster does not take calls from the own host") {
  add(true, 0);
  add(false, 0);
  const auto got = shares(10'000, [](std::size_t i) -> Duration { return i == 0 ? 20ms : 10ms; });
  CHECK(got[0] > 9'500);
}

TEST_CASE_METHOD(Fixture, "with hosts far away the own one keeps at least 95 % and tries the others now and then") {
  add(true, 0);
  add(false, 0);
  const auto got = shares(10'000, [](std::size_t i) -> Duration { return i == 0 ? 12ms : 40ms; });
  CHECK(got[0] >= 9'500);
  CHECK(got[1] > 0);
}

TEST_CASE_METHOD(Fixture, "a slow instance gets less, and as much as the others when it has recovered") {
  add();
  add();
  add();
  bool slow = true;
  const auto took = [&](std::size_t i) -> Duration { return i == 2 && slow ? 20ms : 1ms; };
  (void)shares(100, took);
  const auto while_slow = shares(3000, took);
  CHECK(while_slow[2] < 100);
  CHECK(while_slow[0] > 1000);
  slow = false;
  now += 30s;  // nobody calls
  (void)shares(100, took);
  CHECK(shares(3000, took)[2] > 800);
}

TEST_CASE_METHOD(Fixture, "a recovered instance is found again under load, without a pause") {
  add();
  add();
  bool slow = true;
  const auto took = [&](std::size_t i) -> Duration { return i == 1 && slow ? 100ms : 1ms; };
  (void)shares(1000, took);
  slow = false;
  (void)shares(30'000, took);  // 30 s
  CHECK(shares(1000, took)[1] > 400);
}

TEST_CASE_METHOD(Fixture,
                 "an instance that fails fast gets less than one that answers, and more when it has recovered") {
  add();
  add();
  bool failing = true;
  const auto took = [](std::size_t i) -> Duration { return i == 0 ? 500us : 1ms; };
  const auto fails = [&](std::size_t i) { return i == 0 && failing; };
  const auto got = shares(2000, took, fails);
  CHECK(got[0] < 100);
  failing = false;
  (void)shares(40'000, took, fails);
  CHECK(shares(2000, took, fails)[0] > 800);
}

TEST_CASE_METHOD(Fixture, "an instance that is new or was long away is tried by one call, not by a flood") {
  add(true, 100);
  add(true, 0);
  std::vector<int> got(2);
  for (int n = 0; n < 100; ++n) {  // none answers meanwhile
    const auto i = pick();
    ++got[i];
    ++stats_list[i].outstanding;
    ++stats_list[i].instance_state->in_flight;
  }
  CHECK(got[0] > 40);
  CHECK(got[1] > 40);
}

TEST_CASE_METHOD(Fixture, "many in flight at once go where there is room: a slow worker has a smaller share") {
  add();
  add();
  add();
  struct Busy {
    TimePoint ends;
    std::size_t at;
    TimePoint began;
  };
  std::vector<Busy> busy;
  std::vector<int> got(3);
  while (got[0] + got[1] + got[2] < 3000) {
    while (busy.size() < 30) {
      const auto i = pick();
      ++got[i];
      ++stats_list[i].instance_state->in_flight;
      ++stats_list[i].outstanding;
      busy.push_back({now + (i == 0 ? 10ms : 1ms), i, now});
    }
    now += 100us;
    std::erase_if(busy, [&](const Busy& call) {
      if (call.ends > now) return false;
      --stats_list[call.at].instance_state->in_flight;
      --stats_list[call.at].outstanding;
      stats_list[call.at].measure(now, false, now - call.began);
      return true;
    });
  }
  CHECK(got[0] < 150);
}

TEST_CASE_METHOD(Fixture, "round robin goes round, by weight, and past those that are open") {
  ask.balance = Balance::round_robin;
  add();
  add(false);
  add().instance_state->set_weight(2);
  CHECK(shares(400, even) == std::vector<int>{100, 100, 200});
  open(stats_list[1]);
  CHECK(shares(300, even) == std::vector<int>{100, 0, 200});
}

TEST_CASE_METHOD(Fixture, "random of two spreads over all and turns from the busy one") {
  ask.balance = Balance::random_two;
  add();
  CHECK(pick() == 0);
  for (int i = 0; i < 3; ++i) add(i == 0);
  const auto got = shares(4000, even);
  for (const int one : got) CHECK(one > 700);
  stats_list[1].instance_state->in_flight = 100;
  CHECK(shares(4000, even)[1] == 0);
}

TEST_CASE_METHOD(Fixture, "hash keeps a key where it was when another instance goes, and spreads keys") {
  ask.balance = Balance::hash;
  for (int i = 0; i < 5; ++i) add();
  std::map<std::string, Ulid> before;
  std::map<Ulid, int> spread;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key" + std::to_string(i);
    ask.key = key;
    before[key] = stats_list[pick()].instance_state->id;
    ++spread[before[key]];
  }
  for (const auto& stats : stats_list) CHECK(spread[stats.instance_state->id] > 120);
  const Ulid gone = stats_list[2].instance_state->id;
  stats_list.erase(stats_list.begin() + 2);
  for (const auto& [key, id] : before) {
    ask.key = key;
    if (id != gone) CHECK(stats_list[pick()].instance_state->id == id);
  }
}

TEST_CASE_METHOD(Fixture, "hash turns from an instance that has far more than its share") {
  ask.balance = Balance::hash;
  ask.key = "one";
  for (int i = 0; i < 4; ++i) add();
  const auto first = pick();
  std::vector<int> got(4);
  for (int n = 0; n < 400; ++n) {
    const auto i = pick();
    ++got[i];
    ++stats_list[i].instance_state->in_flight;
  }
  CHECK(got[first] <= 126);  // 1.25 times 100, and one
  CHECK(got[first] >= 100);
}

TEST_CASE_METHOD(Fixture, "hash takes an instance that fills the slot of another for the same") {
  ask.balance = Balance::hash;
  ask.key = "one";
  for (int i = 0; i < 4; ++i) add();
  const auto first = pick();
  stats_list[first].instance_state->id = Ulid::make(wall_from_us(2), random);
  CHECK(pick() == first);
}

TEST_CASE_METHOD(Fixture, "a fixed instance and a host are kept to") {
  add();
  add(false);
  add(false);
  ask.host = "beta";
  for (int i = 0; i < 10; ++i) CHECK(pick() > 0);
  ask.instance = stats_list[2].instance_state->id;
  CHECK(pick() == 2);
  ask.host = "gamma";
  CHECK(refused() == Choice::Refused::nobody);
}

TEST_CASE_METHOD(Fixture, "who is open is passed over; when all are, the call is refused, until a probe is due") {
  add();
  add(false);
  open(stats_list[0]);
  CHECK(pick() == 1);
  open(stats_list[1]);
  CHECK(refused() == Choice::Refused::circuit_open);
  ask.host = "gamma";
  CHECK(refused() == Choice::Refused::nobody);
  ask.host = "";
  now += policy.breaker.open_for;
  CHECK(pick() < 2);
}

TEST_CASE_METHOD(Fixture, "a due probe goes first: else an instance that is avoided would stay so") {
  add();
  add();
  open(stats_list[1]);
  now += policy.breaker.open_for;
  CHECK(pick() == 1);
  (void)stats_list[1].breaker.started(policy.breaker, now);
  CHECK(pick() == 0);
}

TEST_CASE_METHOD(Fixture, "those that were tried, are critical or stopping go last, but before nobody") {
  add();
  add();
  add(false);
  const std::uint64_t attempted[] = {stats_list[0].instance_state->id.short_id()};
  ask.avoid = attempted;
  CHECK(pick() == 1);
  stats_list[1].instance_state->healthy = false;
  CHECK(pick() == 2);
  stats_list[2].instance_state->draining = true;
  CHECK(pick() < 2);
  stats_list[0].instance_state->draining = stats_list[1].instance_state->draining = true;
  CHECK(pick() < 2);
}

TEST_CASE_METHOD(Fixture, "explain runs the same decision and says why of each") {
  add(true, 50);
  add(false, 2);
  add(false, 0).instance_state->draining = true;
  open(add());
  for (const auto balance : {Balance::nearest, Balance::round_robin, Balance::random_two}) {
    ask.balance = balance;
    for (int n = 0; n < 50; ++n) {
      const auto chance = random.next();
      const auto why = explain(stats_list, policy, ask, now, chance);
      const auto choice = choose(stats_list, policy, ask, now, chance);
      REQUIRE(why.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) CHECK(why[i].chosen == (i == choice.index));
    }
  }
  ask.balance = Balance::nearest;
  const auto why = explain(stats_list, policy, ask, now, 0);
  CHECK(why[1].chosen);
  CHECK(why[0].reason == "own host, expected 50 ms, 0 in flight");
  CHECK(why[1].reason == "other host, expected 2 ms, 0 in flight");
  CHECK(why[2].reason == "it is stopping");
  CHECK(why[3].reason == "circuit open for another 5.0 s");
  CHECK(why[3].breaker == BreakerState::open);
  ask.host = "gamma";
  CHECK(explain(stats_list, policy, ask, now, 0)[0].reason == "not on host gamma");
}

TEST_CASE_METHOD(Fixture, "a local instance that does not answer a ping loses within milliseconds") {
  add(true);
  add(false);
  Silence& silence = stats_list[0].instance_state->silence;
  silence.ping_sent(now);
  CHECK(pick() == 0);
  now += 9ms;  // the margin of locality: eight times the round trip of the other one
  CHECK(pick() == 1);
  CHECK(silence.look(now, now, true) == false);
  CHECK(pick() == 0);
}

TEST_CASE_METHOD(Fixture, "a silent instance goes last by every way of choosing, and is taken when there is no other") {
  add(true);
  add(true);
  stats_list[0].instance_state->silence.ping_sent(now);
  now += Silence::kSilent;
  for (const auto balance : {Balance::nearest, Balance::round_robin, Balance::random_two, Balance::hash}) {
    ask.balance = balance;
    ask.key = "k";
    for (int i = 0; i < 20; ++i) CHECK(pick() == 1);
  }
  const auto why = explain(stats_list, policy, ask, now, 0);
  CHECK(why[0].reason == "it has not answered a ping for 100 ms");
  ask.instance = stats_list[0].instance_state->id;
  CHECK(pick() == 0);
  ask.instance.reset();
  stats_list.pop_back();
  CHECK(pick() == 0);
}

TEST_CASE_METHOD(Fixture, "where all are silent the choice is as before") {
  add(true);
  add(false);
  for (auto& stats : stats_list) stats.instance_state->silence.ping_sent(now);
  now += 10s;
  for (int i = 0; i < 20; ++i) CHECK(pick() == 0);
}
