#include "weft/agent/agent_health.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"

using namespace weft;

namespace {

struct HealthFixture {
  test::ManualLoop loop;
  observe::Metrics metrics;
  observe::Log log{observe::LogOptions{}, loop.clock(), [](std::string_view) {}};
  Health health;
  std::vector<std::pair<Health::Status, std::string>> published;
  AgentHealth agent{loop, health, metrics, log,
                    [this](Health::Status status, const std::string& text) { published.emplace_back(status, text); }};
  int runs = 0;
  std::optional<CheckResult> result = CheckResult();  // of the next runs; none: they hang
  std::vector<std::function<void(CheckResult)>> hanging;

  void add(CheckRules rules = {}) {
    agent.add("db", rules, [this](std::function<void(CheckResult)> done) {
      ++runs;
      result ? done(*result) : hanging.push_back(std::move(done));
    });
    pass(Duration::zero());
  }
  void pass(Duration time) {
    for (Duration passed{}; passed < time; passed += 100ms) {
      loop.advance(100ms);
      loop.turn();
    }
    loop.turn();
  }
  std::string text() { return health.checks().at("db").text; }
  Health::Status status() { return health.checks().at("db").status; }
  double gauge(const char* state) {
    return metrics.gauge("weft_health_state", "", {{"check", "db"}, {"state", state}}).value();
  }
};

const std::pair<Health::Status, std::string> kFine{Health::pass, ""};

}  // namespace

TEST_CASE_METHOD(HealthFixture, "a check runs at once, and again after its interval") {
  add();
  CHECK(runs == 1);
  pass(10s);
  CHECK(runs == 2);
  CHECK(published.empty());
  CHECK(gauge("passing") == 1);
}

TEST_CASE_METHOD(HealthFixture,
                 "a failing check is published when it fails as often as its rules allow, and its end too") {
  add();
  result = CheckResult(Health::critical, "refused");
  pass(20s);
  CHECK(published.empty());
  pass(10s);
  CHECK(published == std::vector{std::pair(Health::critical, std::string("db: refused"))});
  CHECK(gauge("critical") == 1);
  CHECK(gauge("passing") == 0);
  result = CheckResult();
  pass(10s);
  CHECK(published.back() == kFine);
}

TEST_CASE_METHOD(HealthFixture, "a run that hangs has failed, and each interval of it counts") {
  result.reset();
  add({.interval = 10s, .timeout = 2s});
  CHECK(published.empty());
  pass(2s);
  CHECK(text() == "no result within 2s");
  CHECK(status() == Health::critical);
  pass(20s);
  CHECK(runs == 1);
  CHECK(text() == "a run that began 22 s ago has not ended");
  result = CheckResult();
  hanging.front()(CheckResult());  // its late result says nothing of now
  CHECK(status() == Health::critical);
  pass(10s);
  CHECK(runs == 2);
  CHECK(status() == Health::pass);
}

TEST_CASE_METHOD(HealthFixture, "what concerns the registry itself is not published") {
  health.set("registry", false, "no registry answers");
  health.set("draining", false, "the process is stopping");
  CHECK(published.empty());
  health.set("agent", Health::warn, "low on paper");
  CHECK(published == std::vector{std::pair(Health::warn, std::string("low on paper"))});
}

TEST_CASE_METHOD(HealthFixture, "what flaps is published for the worse at once, and for the better after a second") {
  for (int i = 0; i < 100; ++i) {
    health.set("agent", i % 2 == 0 ? Health::critical : Health::pass, "");
    pass(100ms);
  }
  CHECK(published.size() >= 2);
  CHECK(published.size() <= 20);  // two in each of the ten seconds
  health.set("agent", Health::critical, "at last");
  pass(1s);
  CHECK(published.back() == std::pair(Health::critical, std::string("at last")));
  health.set("agent", Health::pass);
  pass(1s);
  CHECK(published.back() == kFine);
}

TEST_CASE_METHOD(HealthFixture, "a check without a name, with a name in use or with a rule of nothing is a bug") {
  add();
  const AgentHealth::Run run = [](auto) {};
  CHECK_THROWS_AS(agent.add("", {}, run), std::logic_error);
  CHECK_THROWS_AS(agent.add("db", {}, run), std::logic_error);
  CHECK_THROWS_AS(agent.add("disk", {.interval = Duration::zero()}, run), std::logic_error);
  CHECK_THROWS_AS(agent.add("disk", {.failures_before_critical = 0}, run), std::logic_error);
}
