// Policies at work between processes: balancing, retries, circuits, idempotency, hedging.
#include <set>

#include "tests/mesh/worker_fixture.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

using Fixture = test::WorkerFixture;

const observe::Labels kTarget{{"target", "work.do"}};

}  // namespace

TEST_CASE_METHOD(Fixture, "with two hosts up at least 95 % of the calls stay on the own one") {
  auto& own = add("alpha");
  add("beta");
  connect();
  CHECK(calls(200)[0] >= 190);
  CHECK(own.calls >= 190);
}

TEST_CASE_METHOD(Fixture, "a local instance that is ten times slower than a remote one loses") {
  auto& slow = add("alpha");
  auto& fast = add("beta");
  slow.takes = 100ms;
  fast.takes = 4ms;
  connect();
  CHECK(calls(100)[1] > 85);
}

TEST_CASE_METHOD(Fixture, "a slow worker gets a smaller share, and a recovered one more again") {
  auto& slow = add();
  auto& other = add();
  other.takes = 10ms;
  slow.takes = 100ms;
  connect();
  CHECK(calls(60)[0] < 10);
  slow.takes = 10ms;
  loop.advance(30s);
  CHECK(calls(60)[0] > 15);
}

TEST_CASE_METHOD(Fixture, "a target that always fails gets at most 1.1 times its load") {
  set({"*.retry.on=retryable", "*.retry.base=1ms", "*.retry.max=2ms", "*.breaker.failures=0"});
  auto& worker = add();
  worker.fails = Error(ErrorKind::unavailable, "MINE-1", "never");
  connect();
  for (int i = 0; i < 300; ++i) CHECK_FALSE(call());
  CHECK(worker.calls <= 330);
  CHECK(worker.calls >= 325);
  CHECK(metric("weft_retries_total", kTarget) == worker.calls - 300);
  CHECK(metric("weft_retries_denied_total", kTarget) > 200);
}

TEST_CASE_METHOD(Fixture, "what was refused is tried elsewhere, what may have been done is not") {
  auto& full = add();
  auto& other = add();
  connect();
  full.fails = Error(codes::queue_full, "full");
  for (int i = 0; i < 4; ++i) CHECK(call());
  CHECK(full.calls >= 1);
  full.fails = Error(ErrorKind::timeout, "MINE-2", "perhaps");
  other.fails = full.fails;
  const int before = full.calls + other.calls;
  CHECK(call().error().code == "MINE-2");
  CHECK(full.calls + other.calls == before + 1);
}

TEST_CASE_METHOD(Fixture, "a process that stops costs no call: each is carried out by another") {
  auto& leaving = add();
  add();
  connect();
  (*leaving.process)->peer().start_draining();  // it is in the registry all the while
  for (int i = 0; i < 100; ++i) REQUIRE(call());
  CHECK(leaving.calls == 0);
  CHECK(metric("weft_retries_total", kTarget) <= 1);  // once it said so, it is not asked again
}

TEST_CASE_METHOD(Fixture, "failures in a row open a circuit, a probe that succeeds closes it") {
  auto& worker = add();
  worker.fails = Error(codes::handler_failed, "a bug");
  connect();
  const auto state = [&](const char* name) {
    return metric("weft_circuit_breaker_state", {{"target", "work.do"}, {"state", name}});
  };
  for (int i = 0; i < 5; ++i) CHECK(call().error().is(codes::handler_failed));
  CHECK(state("open") == 1);
  CHECK(state("closed") == 0);
  const auto refused = call().error();
  CHECK(refused.is(codes::circuit_open));
  CHECK(refused.message.find("work.do is open at every instance (1): the next probe goes in ") != std::string::npos);
  CHECK(worker.calls == 5);
  loop.advance(5s);
  CHECK(call().error().is(codes::handler_failed));  // the probe
  CHECK(call().error().is(codes::circuit_open));
  loop.advance(5s);
  worker.fails.reset();
  CHECK(call());
  CHECK(state("closed") == 1);
  CHECK(call());
  CHECK(worker.calls == 8);
  const auto count = [&](const char* to) {
    return metric("weft_circuit_breaker_transitions_total", {{"target", "work.do"}, {"to", to}});
  };
  CHECK(count("open") == 2);
  CHECK(count("half_open") == 2);
  CHECK(count("closed") == 1);
}

TEST_CASE_METHOD(Fixture, "a circuit that is open at one instance costs nobody a call") {
  set({"*.balance=round_robin"});
  auto& broken = add();
  add();
  broken.fails = Error(codes::handler_failed, "a bug");
  connect();
  (void)calls(12);
  CHECK(broken.calls == 5);
  for (int i = 0; i < 20; ++i) CHECK(call());
  CHECK(broken.calls == 5);
}

TEST_CASE_METHOD(Fixture, "a caller's own mistakes open no circuit") {
  auto& worker = add();
  worker.fails = Error(codes::bad_payload, "no");
  connect();
  for (int i = 0; i < 20; ++i) CHECK(call().error().is(codes::bad_payload));
}

TEST_CASE_METHOD(Fixture, "circuits are listed, opened and closed by hand") {
  auto& worker = add();
  auto& mesh = connect();
  REQUIRE(call());
  auto ask = [&](const std::string& action, const std::string& at) {
    Value request;
    request.set("action", action);
    request.set("target", at);
    return wait((*worker.process)->call("client._breakers", Payload::of(request)));
  };
  const auto listed = *ask("list", "")->value();
  REQUIRE(listed.as_list().size() == 1);
  CHECK(listed.as_list()[0]["target"] == Value("work.do"));
  CHECK(listed.as_list()[0]["state"] == Value("closed"));
  CHECK((*ask("open", "work.do")->value())["changed"] == Value(1));
  CHECK(call().error().message.find("it was opened by hand") != std::string::npos);
  CHECK((*ask("automatic", "work")->value())["changed"] == Value(1));
  CHECK(call());
  CHECK(ask("open", "work.dp").error().message.find("did you mean 'work.do'?") != std::string::npos);
  CHECK(ask("opne", "work.do").error().message.find("did you mean 'open'?") != std::string::npos);
  CHECK(mesh.explain_call("work.do").instances.at(0).chosen);
}

TEST_CASE_METHOD(Fixture, "ten sends with one key have one effect, and all get its answer") {
  auto& worker = add();
  worker.takes = 50ms;
  connect();
  CallOptions options;
  options.key = "order-7";
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    tasks.spawn([](Task<Result<Payload>> one, int& count) -> Task<void> {
      const auto answer = co_await one;
      if (answer) ++count;
    }((*client)->call("work.do", Payload::raw("x"), options), answered));
  }
  REQUIRE(until([&] { return answered == 5; }));
  for (int i = 0; i < 5; ++i) CHECK(call(options)->text() == worker.id);
  CHECK(worker.calls == 1);
  CHECK(worker.process->metrics.counter("weft_requests_deduplicated_total", "", {{"endpoint", "do"}}).value() == 9);
  CHECK(wait((*client)->call("work.do", Payload::raw("other"), options)).error().is(codes::bad_value));
}

TEST_CASE_METHOD(Fixture, "a call with a key is sent again when no answer came, and has one effect") {
  set({"*.retry.attempt_timeout=100ms", "*.retry.base=1ms"});
  auto& worker = add();
  worker.takes = 150ms;
  connect();
  CallOptions options;
  options.key = "order-8";
  CHECK(call(options)->text() == worker.id);
  CHECK(worker.calls == 1);
  CHECK(worker.cancelled == 0);
  CHECK(metric("weft_retries_total", kTarget) == 1);
  options.key.clear();
  CHECK(call(options).error().is(codes::deadline_exceeded));
  CHECK(worker.calls == 2);
}

TEST_CASE_METHOD(Fixture, "a hedged call takes the first answer and takes the other call back") {
  auto& stuck = add();
  auto& other = add();
  connect();
  CallOptions options;
  options.hedge_after = 30ms;
  options.timeout = 60s;
  stuck.takes = other.takes = 20s;
  const auto begin = loop.now();
  std::optional<Result<Payload>> answer;
  tasks.spawn([](Task<Result<Payload>> one, std::optional<Result<Payload>>& out) -> Task<void> {
    out.emplace(co_await one);
  }((*client)->call("work.do", {}, options), answer));
  REQUIRE(until([&] { return stuck.calls + other.calls == 1; }));
  auto& second = stuck.calls == 1 ? other : stuck;
  auto& first = stuck.calls == 1 ? stuck : other;
  second.takes = Duration::zero();
  REQUIRE(until([&] { return answer.has_value(); }));
  REQUIRE(*answer);
  CHECK((**answer).text() == second.id);
  CHECK(loop.now() - begin < 1s);
  CHECK(until([&] { return first.cancelled == 1; }));
  CHECK(metric("weft_hedges_total", kTarget) == 1);
}

TEST_CASE_METHOD(Fixture, "calls with the same affinity go to the same instance") {
  for (int i = 0; i < 3; ++i) add();
  connect();
  CallOptions options;
  std::set<std::string> seen;
  for (int key = 0; key < 12; ++key) {
    options.affinity = "customer-" + std::to_string(key);
    const auto first = call(options);
    for (int i = 0; i < 3; ++i) CHECK(call(options)->text() == first->text());
    seen.emplace(first->text());
  }
  CHECK(seen.size() > 1);
}

TEST_CASE_METHOD(Fixture, "the timeout of a policy is that of calls that name none") {
  set({"work.timeout=80ms"});
  auto& worker = add();
  worker.takes = 10s;
  connect();
  const auto begin = loop.now();
  CHECK(call().error().is(codes::deadline_exceeded));
  CHECK(loop.now() - begin < 150ms);
  CallOptions longer(200ms);
  CHECK(call(longer).error().message.find("200ms") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a call that is refused before it is sent is counted as any other, and sent nowhere") {
  auto& worker = add();
  auto& mesh = connect();
  const std::string target = "work." + std::string(300, 'x');
  auto answer = wait(mesh.call(target, {}));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().is(codes::bad_name));
  CHECK(metric("weft_calls_total", {{"target", target}, {"code", std::string(codes::bad_name.id)}}) == 1);
  CHECK(worker.calls == 0);
  CHECK(call());
}

TEST_CASE_METHOD(Fixture, "what a call would do is told with the place of each rule, and why not each other instance") {
  set({"work.timeout=3s"});
  add("alpha");
  auto& remote = add("beta");
  auto& mesh = connect();
  const auto why = mesh.explain_call("work.do");
  REQUIRE(why.instances.size() == 2);
  int chosen = 0;
  for (const auto& instance : why.instances) {
    if (instance.chosen) ++chosen;
    CHECK(instance.chosen == (instance.host == "alpha"));
  }
  CHECK(chosen == 1);
  bool told = false;
  for (const auto& setting : why.policy)
    told = told || (setting.key == "timeout" && setting.where == "--set mesh.policies.work.timeout=3s");
  CHECK(told);
  CallOptions there;
  there.host = "beta";
  const auto elsewhere = mesh.explain_call("work.do", there);
  for (const auto& instance : elsewhere.instances) CHECK((instance.instance == remote.id) == instance.chosen);
  there.host = "gamma";
  CHECK(mesh.explain_call("work.do", there).refused.value().find("NO_RESPONDERS") != std::string::npos);
}
