// Instances that are not well: frozen ones, slow ones, and those that say so themselves.
#include "tests/mesh/worker_fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

using Fixture = test::WorkerFixture;

}  // namespace

namespace {

/// A worker on a loop of its own, which can stand still.
struct FreezingFixture : Fixture {
  test::ManualLoop other;
  observe::Metrics other_metrics;
  observe::Health other_health;
  std::unique_ptr<Mesh> worker;
  int handled = 0;
  bool frozen = false;

  FreezingFixture() {
    MeshOptions options;
    options.peer = peer_options("work", "alpha");
    options.registries = {registry->endpoint()};
    options.report_errors = false;
    worker = std::make_unique<Mesh>(other, context, options, other_metrics, log, other_health);
    worker->serve({"do", ""}, [this](Call&) -> Task<Result<Payload>> {
      ++handled;
      co_return Payload::raw("local");
    });
    REQUIRE(worker->start());
    add("beta");
    client = process("client");
    start(*client);
    REQUIRE(turn_until([&] { return (*client)->directory().instances("work").size() == 2; }));
  }
  bool turn_until(const std::function<bool()>& done) {
    return until([&] {
      if (!frozen) {
        other.advance(loop.now() - other.now());
        other.run_until([] { return false; }, Duration::zero());
      }
      return done();
    });
  }
  bool call_fails() {
    std::optional<bool> failed;
    tasks.spawn([](Mesh& mesh, std::optional<bool>& out) -> Task<void> {
      CallOptions options;
      options.timeout = 300ms;
      auto outcome = co_await mesh.call("work.do", Payload::raw("x"), options);
      out = !outcome;
    }(*client->mesh, failed));
    REQUIRE(turn_until([&] { return failed.has_value(); }));
    return *failed;
  }
  double silent() { return metric("weft_instances_silent_total", {}); }
};

}  // namespace

TEST_CASE_METHOD(FreezingFixture,
                 "a frozen local instance costs the call that met it, and serves again when it continues") {
  for (int i = 0; i < 20; ++i) REQUIRE_FALSE(call_fails());
  REQUIRE(handled == 20);
  frozen = true;
  int failed = 0;
  for (int i = 0; i < 100; ++i) failed += call_fails();
  CHECK(failed == 1);
  CHECK(handled == 20);
  CHECK(silent() == 1);
  frozen = false;
  CHECK(turn_until([&] { return !call_fails() && handled > 30; }));
}

TEST_CASE_METHOD(Fixture, "an instance whose handlers take long answers its pings, and keeps its calls") {
  auto& local = add("alpha");
  add("beta");
  local.takes = 500ms;
  connect();
  std::vector<std::optional<Result<Payload>>> outcomes(8);
  CallOptions here;
  here.host = "alpha";
  for (auto& outcome : outcomes) {
    tasks.spawn([](Mesh& mesh, CallOptions options, std::optional<Result<Payload>>& out) -> Task<void> {
      out.emplace(co_await mesh.call("work.do", Payload::raw("x"), options));
    }(*client->mesh, here, outcome));
  }
  REQUIRE(until([&] { return outcomes.back().has_value(); }));
  for (const auto& outcome : outcomes) CHECK(outcome->has_value());
  CHECK(metric("weft_instances_silent_total", {}) == 0);
}

namespace {

struct HealthStateFixture : Fixture {
  void says(Worker& worker, HealthState state) {
    (*worker.process)->set_health(state, "because");
    REQUIRE(until([&] {
      for (const auto* record : (*client)->directory().instances("work"))
        if (record->instance.to_string() == worker.id)
          return record->health == state && record->health_text == "because";
      return false;
    }));
  }
};

}  // namespace

TEST_CASE_METHOD(HealthStateFixture, "a critical instance gets calls only while there is no other one") {
  auto& local = add("alpha");
  auto& remote = add("beta");
  connect();
  CHECK(calls(20)[0] >= 19);
  const int registered = registry->registrations;
  says(local, HealthState::critical);
  CHECK(calls(20)[1] == 20);
  says(remote, HealthState::critical);
  CHECK(calls(20)[0] >= 19);
  says(local, HealthState::passing);
  says(remote, HealthState::passing);
  CHECK(calls(20)[0] >= 19);
  CHECK(registry->registrations == registered);  // renewals carry it
}

TEST_CASE_METHOD(HealthStateFixture, "an instance with a warning gets half of its share") {
  set({"work.balance=round_robin"});
  auto& one = add();
  add();
  connect();
  says(one, HealthState::warning);
  CHECK(calls(30)[0] == 10);
  says(one, HealthState::passing);
  CHECK(calls(30)[0] == 15);
}
