// Circuits that callers share by the registry: who is told, who is believed and for how long, and who probes.
#include "tests/mesh/worker_fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

constexpr Duration kBeat = 200ms;  // a third of the lease that the registry of these tests gives
constexpr Duration kOpenFor = 1s;

struct Fixture : test::WorkerFixture {
  std::vector<std::unique_ptr<Process>> callers;

  Fixture() { set({"work.breaker.open_for=1s"}); }

  /// Has called the worker one time when `calls`.
  Process& caller(const std::string& name, bool calls = true) {
    auto& made = *callers.emplace_back(process(name));
    start(made);
    REQUIRE(until([&] { return made->directory().instances("work").size() == workers.size(); }));
    if (calls) REQUIRE(call_by(made));
    return made;
  }
  Result<Payload> call_by(Process& by) { return wait(by->call("work.do", Payload::raw("x"))); }
  static double state(Process& of, const char* name) {
    return of.metrics.gauge("weft_circuit_breaker_state", "", {{"target", "work.do"}, {"state", name}}).value();
  }
  static std::uint64_t heard(Process& by, const char* told, const char* outcome) {
    const observe::Labels labels{{"target", "work.do"}, {"told", told}, {"outcome", outcome}};
    return by.metrics.counter("weft_circuit_breaker_heard_total", "", labels).value();
  }
  bool refused(Process& by) {
    const auto answer = call_by(by);
    return !answer && answer.error().is(codes::circuit_open);
  }
  /// `by` finds the worker broken.
  void trip(Process& by, Worker& worker) {
    worker.fails = Error(codes::handler_failed, "a bug");
    for (int i = 0; i < 5; ++i) REQUIRE(call_by(by).error().is(codes::handler_failed));
    REQUIRE(state(by, "open") == 1);
  }
  void pass(Duration time) {
    const TimePoint end = loop.now() + time;
    for (; loop.now() < end; loop.advance(5ms)) loop.run_until([] { return false; }, 1ms);
  }
  const InstanceRecord& record_of(Process& of) { return registry->records[of->peer().options().instance]; }
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "what one caller finds broken the others leave within a beat, and a probe closes it for all") {
  auto& worker = add();
  auto& first = caller("first");
  auto& other = caller("other");
  trip(first, worker);
  const int before = worker.calls;
  const TimePoint tripped = loop.now();
  REQUIRE(until([&] { return state(other, "open") == 1; }));
  CHECK(loop.now() - tripped <= kBeat);
  const auto told = call_by(other).error();
  CHECK(told.is(codes::circuit_open));
  CHECK(told.message.find("as first@alpha said: the next probe goes in ") != std::string::npos);
  CHECK(worker.calls == before);
  const auto why = other->explain_call("work.do");
  CHECK(why.instances.at(0).reason.find(", as first@alpha said") != std::string::npos);

  worker.fails.reset();
  pass(kOpenFor * 95 / 100);
  CHECK(call_by(other));  // it was told, and so goes before the one who told
  CHECK(worker.calls == before + 1);
  CHECK(state(other, "closed") == 1);
  REQUIRE(until([&] { return heard(first, "closed", "followed") == 1; }));
  CHECK(call_by(first));  // its probe is due at once
  CHECK(state(first, "closed") == 1);
  REQUIRE(until([&] { return heard(other, "closed", "ignored") == 1; }));
  trip(first, worker);  // it agreed, and so is believed again
  CHECK(until([&] { return state(other, "open") == 1; }));
}

TEST_CASE_METHOD(Fixture,
                 "a caller with a bad link shuts a good place for others for one open period, not again and again") {
  auto& worker = add();
  auto& broken = caller("broken");
  auto& good = caller("good");
  trip(broken, worker);
  worker.fails.reset();  // for the others it is well
  REQUIRE(until([&] { return state(good, "open") == 1; }));
  pass(kOpenFor * 95 / 100);
  REQUIRE(call_by(good));
  for (std::uint64_t again = 1; again <= 3; ++again) {
    REQUIRE(until([&] { return heard(broken, "closed", "followed") >= 1; }));
    worker.fails = Error(codes::handler_failed, "the link");
    REQUIRE(call_by(broken).error().is(codes::handler_failed));  // its probe
    worker.fails.reset();
    REQUIRE(until([&] { return heard(good, "open", "ignored") == again; }));
    CHECK(call_by(good));
    pass(kOpenFor);
  }
}

TEST_CASE_METHOD(Fixture, "who calls later begins with what was told before") {
  auto& worker = add();
  auto& first = caller("first");
  trip(first, worker);
  REQUIRE(until([&] { return !record_of(first).circuits.empty(); }));
  auto& quiet = caller("quiet", false);
  CHECK(refused(quiet));
  auto& fresh = caller("fresh", false);
  CHECK(refused(fresh));
  CHECK(worker.calls == 6);
}

TEST_CASE_METHOD(Fixture, "policies switch it off, at either end") {
  auto& worker = add();
  auto& shares = caller("shares");
  set({"work.breaker.shared=false"});
  auto& keeps = caller("keeps");
  set({"work.breaker.failures=0"});
  auto& never = caller("never");
  trip(keeps, worker);
  trip(shares, worker);
  worker.fails.reset();
  REQUIRE(until([&] { return !record_of(shares).circuits.empty(); }));
  CHECK(record_of(keeps).circuits.empty());
  CHECK(heard(shares, "open", "followed") == 0);
  pass(kBeat);
  CHECK(call_by(never));
}

TEST_CASE_METHOD(
    Fixture, "what could not be told while the registry was away is told when it is back, and taken back when over") {
  auto& worker = add();
  auto& first = caller("first");
  auto& other = caller("other");
  registry->away = true;
  trip(first, worker);
  pass(kBeat);
  CHECK(state(other, "open") == 0);
  registry->away = false;
  REQUIRE(until([&] { return state(other, "open") == 1; }));
  CHECK(record_of(first).circuits.at(0).state == "open");
  CHECK(until([&] { return record_of(first).circuits.empty(); }, 20s));
}

TEST_CASE_METHOD(Fixture, "what was told and nobody renews is over, also where no call comes to try") {
  auto& worker = add();
  auto& first = caller("first");
  auto& other = caller("other");
  trip(first, worker);
  REQUIRE(until([&] { return state(other, "open") == 1; }));
  first.mesh.reset();  // killed
  CHECK(until([&] { return state(other, "closed") == 1; }, 30s));
}

TEST_CASE_METHOD(Fixture, "by hand it is one caller's own matter; given back, what it told is taken back too") {
  auto& worker = add();
  auto& first = caller("first");
  auto& other = caller("other");
  const auto ask = [&](const std::string& action) {
    Value request;
    request.set("action", action);
    request.set("target", "work.do");
    return wait((*worker.process)->call("first._breakers", Payload::of(request)));
  };
  REQUIRE(ask("open"));
  CHECK(refused(first));
  pass(kBeat);
  CHECK(call_by(other));
  REQUIRE(ask("automatic"));
  trip(first, worker);
  REQUIRE(until([&] { return state(other, "open") == 1; }));
  const auto circuits = wait((*worker.process)->call("other._breakers", {}))->value();
  CHECK((*circuits).as_list()[0]["told_by"] == Value("first@alpha"));
  REQUIRE(ask("automatic"));
  CHECK(until([&] { return state(other, "closed") == 1; }));
}

TEST_CASE_METHOD(Fixture, "what nobody understands, and too much of it, changes nothing") {
  auto& worker = add();
  auto& other = caller("other");
  const Ulid place = *Ulid::parse(worker.id);
  InstanceRecord odd;
  odd.mesh = "test";
  odd.agent = "odd";
  odd.host = "alpha";
  odd.instance = id();
  odd.circuits = {{"work.do", place, "ajar", 1}, {"work.do", id(), "open", 2},
                  {"", place, "open", 3},        {"work", place, "open", 4},
                  {".do", place, "open", 5},     {"work.undo", place, "open", 1ULL << 62}};
  odd.circuits.resize(1000, {"work.do", place, "open", 6});  // beyond what is looked at
  odd.circuits.insert(odd.circuits.begin() + 6, kCircuitNewsMax, {"work.undo", place, "half_open", 7});
  registry->records[odd.instance] = odd;
  registry->publish({odd}, {});
  REQUIRE(until([&] { return other->directory().find(odd.instance) != nullptr; }));
  CHECK(call_by(other));
}

TEST_CASE_METHOD(Fixture, "a place that stays broken is probed by one caller at a time, not by each") {
  auto& worker = add();
  constexpr int kCallers = 5, kPeriods = 5;
  for (int i = 0; i < kCallers; ++i) (void)caller("caller" + std::to_string(i));
  trip(*callers.front(), worker);
  REQUIRE(until(
      [&] { return std::all_of(callers.begin(), callers.end(), [](auto& one) { return state(*one, "open") == 1; }); }));
  const int before = worker.calls;
  const TimePoint end = loop.now() + kPeriods * kOpenFor;
  for (; loop.now() < end; pass(5ms))
    for (auto& one : callers) CHECK_FALSE(call_by(*one));
  CHECK(worker.calls - before >= kPeriods - 1);
  CHECK(worker.calls - before <=
        kCallers * kPeriods / 2);  // each for itself would have probed kCallers * kPeriods times
}
