// Supervisors at work: real children that fail, in virtual time.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

/// Writes when it starts and stops; fails as its switch says.
struct Switch {
  Diary diary;
  bool constructor_throws = false, start_throws = false;
  Health health = Health::healthy;
};
struct Leave {};
class Worker {
 public:
  using Messages = Handles<Number, Boom, Seen, Leave, HealthCheck, Play>;
  Worker(Switch* wires, std::string name) : wires_(*wires), name_(std::move(name)) {
    if (wires_.constructor_throws) throw std::runtime_error("no parts");
  }
  void pre_start(Context&) {
    if (wires_.start_throws) throw std::runtime_error("does not start");
    wires_.diary.write("+" + name_);
  }
  void post_stop(Context&) { wires_.diary.write("-" + name_); }
  Directive on_error(const std::exception_ptr& failure, Context&) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::logic_error&) {
      return Directive::escalate;
    } catch (...) {
      return Directive::restart;
    }
  }
  void on(Number number) {
    if (number.value < 0) throw std::logic_error("escalates");
    seen_.push_back(number.value);
  }
  void on(Boom) { throw std::runtime_error("boom"); }
  Numbers on(Seen) const { return seen_; }
  void on(Leave, Context& context) { context.stop(); }
  Health on(HealthCheck) { return wires_.health; }
  Task<void> on(Play play, Context& context) { co_await play.work(context); }

 private:
  Switch& wires_;
  std::string name_;
  Numbers seen_;
};

struct Tree {
  Switch wires;
  RecordingMonitor monitor;
  TestSystem system{0, {}, &monitor};

  ChildSpec worker(const std::string& name, ChildOptions options = {}) {
    options.name = name;
    return child<Worker>(options, &wires, name);
  }
  Address group(Strategy strategy, const std::vector<std::string>& names, SupervisorOptions options = {}) {
    options.strategy = strategy;
    std::vector<ChildSpec> children;
    for (const auto& name : names) children.push_back(worker(name));
    ChildOptions own;
    own.name = "group";
    auto group = system.start(supervisor(own, options, std::move(children))).value();
    system.run_until_idle();
    return group;
  }
  Address find(const std::string& name) { return system.find(name); }
  void fail(const std::string& name) {
    (void)system.send(name, Boom{});
    system.run_until_idle();
  }
  std::optional<State> state(const std::string& name) const {
    const auto info = system.info(system.find(name));
    return info ? std::optional(info->state) : std::nullopt;
  }
  int told(std::string_view kind) const {
    const auto events = monitor.snapshot().latest;
    return static_cast<int>(
        std::count_if(events.begin(), events.end(), [&](const auto& event) { return event.kind == kind; }));
  }
};

SupervisorOptions patient() {
  SupervisorOptions options;
  options.backoff = Backoff::none();
  return options;
}

}  // namespace

TEST_CASE_METHOD(Tree, "restarts come after 100, 200, 400, 800 and 1600 ms; the sixth crash is given up") {
  group(Strategy::one_for_one, {"bad", "good"});
  const auto bad = find("bad"), good = find("good");
  for (const Duration delay : {100ms, 200ms, 400ms, 800ms, 1600ms}) {
    fail("bad");
    system.advance(delay - 1ns);
    REQUIRE(state("bad") == State::failed);
    system.advance(1ns);
    REQUIRE(state("bad") == State::running);
    REQUIRE(find("bad") == bad);
  }
  REQUIRE(system.info(bad)->restarts == 5);
  fail("bad");
  system.advance(1h);
  REQUIRE(system.totals().gave_up == 1);
  REQUIRE(told("gave_up") == 1);
  REQUIRE(system.send(bad, Number{1}).error().is(codes::actor_closed));
  REQUIRE(system.info(bad)->state == State::failed);  // seen, until it is removed
  fail("good");
  system.advance(100ms);
  REQUIRE(state("good") == State::running);
  REQUIRE(system.info(good)->restarts == 1);
  system.stop(bad);
  system.run_until_idle();
  REQUIRE_FALSE(system.info(bad));
}

TEST_CASE_METHOD(Tree, "a restart is a fresh object at the same address, with the mail that waits, or without") {
  const bool keep = GENERATE(true, false);
  ChildOptions options;
  options.keep_mailbox = keep;
  const Ref<Worker> kept(system.start(worker("worker", options)).value());
  system.run_until_idle();
  REQUIRE(system.send(kept, Number{1}));
  REQUIRE(system.send(kept, Boom{}));
  REQUIRE(system.send(kept, Number{2}));
  system.run_until_idle();
  REQUIRE(system.send(kept, Number{3}));  // while it is down
  system.advance(100ms);
  REQUIRE(seen(system, kept) == (keep ? Numbers{2, 3} : Numbers{}));
  REQUIRE(system.dead_letters().size() == (keep ? 0 : 2));
  REQUIRE(wires.diary.lines() == Lines{"+worker", "-worker", "+worker"});
  REQUIRE(system.totals().restarts == 1);
}

TEST_CASE_METHOD(Tree, "permanent, transient and temporary children after a normal end and after an error") {
  struct Row {
    Restart restart;
    bool after_normal, after_error;
  };
  const auto row = GENERATE(Row{Restart::permanent, true, true}, Row{Restart::transient, false, true},
                            Row{Restart::temporary, false, false});
  const bool error = GENERATE(true, false);
  ChildOptions options;
  options.restart = row.restart;
  const auto address = system.start(worker("worker", options)).value();
  REQUIRE((error ? system.send(address, Boom{}) : system.send(address, Leave{})));
  system.advance(1s);
  const bool back = error ? row.after_error : row.after_normal;
  REQUIRE((state("worker") == State::running) == back);
  REQUIRE(static_cast<bool>(system.send(address, Number{1})) == back);
  REQUIRE(system.totals().restarts == (back ? 1 : 0));
  if (row.restart == Restart::temporary) REQUIRE(system.totals().actors == 0);
}

TEST_CASE_METHOD(Tree, "under one_for_all real children stop in reverse order and start in order") {
  group(Strategy::one_for_all, {"a", "b", "c"});
  REQUIRE(wires.diary.take() == Lines{"+a", "+b", "+c"});
  fail("b");
  system.advance(100ms);
  REQUIRE(wires.diary.take() == Lines{"-b", "-c", "-a", "+a", "+b", "+c"});
}

TEST_CASE_METHOD(Tree, "under rest_for_one real children restart from the one that failed on") {
  group(Strategy::rest_for_one, {"a", "b", "c", "d"});
  (void)wires.diary.take();
  fail("b");
  system.advance(100ms);
  REQUIRE(wires.diary.take() == Lines{"-b", "-d", "-c", "+b", "+c", "+d"});
}

TEST_CASE_METHOD(Tree, "a supervisor stops its children in reverse order") {
  const auto strategy = GENERATE(Strategy::one_for_one, Strategy::one_for_all, Strategy::rest_for_one);
  const auto group = this->group(strategy, {"a", "b", "c"});
  (void)wires.diary.take();
  system.stop(group);
  system.run_until_idle();
  REQUIRE(wires.diary.take() == Lines{"-c", "-b", "-a"});
  REQUIRE(system.totals().actors == 0);
  REQUIRE_FALSE(find("group"));
}

TEST_CASE_METHOD(Tree, "removing a root removes all below, children first") {
  ChildOptions inner, outer;
  inner.name = "inner";
  outer.name = "outer";
  const auto top =
      system.start(supervisor(outer, {}, {worker("a"), supervisor(inner, {}, {worker("b"), worker("c")}), worker("d")}))
          .value();
  system.run_until_idle();
  REQUIRE(system.totals().actors == 6);
  (void)wires.diary.take();
  const auto c = find("c");
  system.stop(top);
  system.run_until_idle();
  REQUIRE(wires.diary.take() == Lines{"-d", "-c", "-b", "-a"});
  REQUIRE(system.totals().actors == 0);
  for (const char* name : {"outer", "inner", "a", "b", "c", "d"}) REQUIRE_FALSE(find(name));
  REQUIRE(system.send(c, Number{1}).error().is(codes::actor_closed));
}

TEST_CASE_METHOD(Tree, "a snapshot tells the tree with states, restarts and depth") {
  const auto group = this->group(Strategy::one_for_one, {"a", "b"}, patient());
  fail("b");
  REQUIRE(system.send("a", Number{1}));
  std::map<std::string, ActorInfo> all;
  for (const auto& info : system.snapshot()) all[info.name] = info;
  REQUIRE(all.size() == 4);
  REQUIRE(all["root"].parent == 0);
  REQUIRE(all["group"].parent == all["root"].address.id());
  REQUIRE(all["group"].supervisor);
  REQUIRE(all["b"].parent == group.id());
  REQUIRE(all["b"].restarts == 1);
  REQUIRE(all["a"].depth == 1);
  REQUIRE_THAT(std::string(all["a"].type), Catch::Matchers::Contains("Worker"));
  REQUIRE(system.snapshot(2).size() == 2);
}

TEST_CASE_METHOD(Tree, "a child that never starts is tried as often as the window allows, then given up") {
  const bool in_constructor = GENERATE(true, false);
  wires.constructor_throws = in_constructor;
  wires.start_throws = !in_constructor;
  const auto address = system.start(worker("never")).value();
  REQUIRE(system.send(address, Number{1}));  // taken, in the hope of a start
  system.advance(1h);
  REQUIRE(system.totals().failures == 6);
  REQUIRE(system.totals().gave_up == 1);
  REQUIRE(system.totals().restarts == 0);
  REQUIRE(system.info(address)->state == State::failed);
  REQUIRE(system.dead_letters().size() == 1);
  REQUIRE_FALSE(system.failure());
}

TEST_CASE_METHOD(Tree, "a significant child that is given up fails its supervisor, and the parent decides") {
  ChildOptions options, own;
  options.significant = true;
  own.name = "group";
  auto limits = patient();
  limits.child_limit = {2, 60s};
  const auto group = system.start(supervisor(own, limits, {worker("a"), worker("b", options)})).value();
  system.run_until_idle();
  const auto a = find("a");
  for (int i = 0; i < 3; ++i) fail("b");
  REQUIRE(state("group") == State::failed);
  REQUIRE_FALSE(find("a"));
  system.advance(100ms);
  REQUIRE(state("group") == State::running);
  REQUIRE(find("group") == group);
  REQUIRE(state("a") == State::running);
  REQUIRE(find("a") != a);  // a supervisor makes new children
}

TEST_CASE_METHOD(Tree, "escalate fails the supervisor at once") {
  group(Strategy::one_for_one, {"a", "b"});
  (void)wires.diary.take();
  REQUIRE(system.send("a", Number{-1}));
  system.run_until_idle();
  REQUIRE(wires.diary.take() == Lines{"-a", "-b"});
  REQUIRE(state("group") == State::failed);
  system.advance(100ms);
  REQUIRE(wires.diary.take().size() == 2);
  REQUIRE(state("b") == State::running);
}

TEST_CASE_METHOD(Tree, "beyond the limits of the root the system stops, and says why") {
  SystemOptions options;
  options.root = patient();
  options.root.total_limit = {3, 60s};
  TestSystem small(0, options);
  const auto bystander = small.spawn<Keeper>().value();
  const auto worker = small.start(this->worker("worker")).value();
  for (int i = 0; i < 4; ++i) {
    REQUIRE_FALSE(small.failure());
    REQUIRE(small.send(worker, Boom{}));
    small.run_until_idle();
  }
  REQUIRE_THAT(small.failure().value(), Catch::Matchers::Contains("restart limit") &&
                                            Catch::Matchers::Contains("worker") && Catch::Matchers::Contains("boom"));
  REQUIRE(small.totals().actors == 0);
  REQUIRE_FALSE(small.info(bystander));
  REQUIRE(small.spawn<Keeper>().error().is(codes::system_stopping));
  REQUIRE(small.shutdown(1s).clean());
}

TEST_CASE_METHOD(Tree, "three failed checks restart the child and reset the count; degraded does not count") {
  ChildOptions options;
  options.health = {1s, 100ms, 3};
  const auto address = system.start(worker("worker", options)).value();
  system.advance(10s);
  REQUIRE(system.info(address)->restarts == 0);
  wires.health = Health::failed;
  system.advance(2s);
  wires.health = Health::healthy;  // resets
  system.advance(1s);
  wires.health = Health::failed;
  system.advance(2s);
  wires.health = Health::degraded;  // neither counts nor resets
  system.advance(5s);
  REQUIRE(system.info(address)->restarts == 0);
  wires.health = Health::failed;
  system.advance(1s + 100ms);
  REQUIRE(system.info(address)->restarts == 1);
  REQUIRE(told("unhealthy") == 1);
  system.advance(2s);  // two more: the count began anew
  REQUIRE(system.info(address)->restarts == 1);
  wires.health = Health::healthy;
  system.advance(10s);
  REQUIRE(state("worker") == State::running);
}

TEST_CASE_METHOD(Tree, "a check without an answer in time has failed") {
  ChildOptions options;
  options.health = {1s, 100ms, 3};
  const auto address = system.start(worker("worker", options)).value();
  system.run_until_idle();
  REQUIRE(system.send(address, Play{[](Context& context) -> Task<void> { co_await context.sleep(1h); }}));
  system.advance(3s + 300ms + 100ms);
  REQUIRE(system.info(address)->restarts == 1);
  REQUIRE(state("worker") == State::running);  // its handler was ended
}

TEST_CASE_METHOD(Tree, "a name that is taken fails the start of a whole tree, and what was started stops") {
  const auto taken = system.spawn<Keeper>(named("b")).value();
  ChildOptions own;
  own.name = "group";
  const auto group = system.start(supervisor(own, {}, {worker("a"), worker("b")})).value();
  system.run_until_idle();
  REQUIRE(state("group") == State::failed);
  REQUIRE_FALSE(find("a"));
  REQUIRE(system.totals().actors == 2);
  system.stop(taken);
  system.advance(100ms);
  REQUIRE(state("group") == State::running);
  REQUIRE(state("b") == State::running);
  system.stop(group);
  system.run_until_idle();
  REQUIRE(system.totals().actors == 0);
}

TEST_CASE_METHOD(Tree, "a child is stopped before, while and after it starts: it is gone in any case") {
  TestSystem seeded(GENERATE(range(std::uint64_t{0}, std::uint64_t{20})));
  const auto steps = GENERATE(0, 1, 2, 3);
  const auto address = seeded.start(worker("worker")).value();
  for (int i = 0; i < steps; ++i) seeded.step();
  seeded.stop(address);
  seeded.advance(10s);
  REQUIRE_FALSE(seeded.info(address));
  REQUIRE(seeded.totals().actors == 0);
  REQUIRE_FALSE(seeded.find("worker"));
}

TEST_CASE_METHOD(Tree, "children that arrive while their supervisor ends, end too") {
  TestSystem seeded(GENERATE(range(std::uint64_t{0}, std::uint64_t{20})));
  const auto group = seeded.start(supervisor({}, {}, {worker("a")})).value();
  seeded.run_until_idle();
  seeded.stop(group);
  for (int i = 0; i < GENERATE(0, 1, 2); ++i) seeded.step();
  const auto late = seeded.start(worker("late"), group);
  seeded.advance(10s);
  if (late) REQUIRE_FALSE(seeded.info(*late));
  REQUIRE(seeded.totals().actors == 0);
  REQUIRE(seeded.dead_letters().empty());
  REQUIRE(seeded.start(worker("later"), group).error().is(codes::no_such_actor));
}

TEST_CASE("options that make no sense are refused by the name of the field") {
  TestSystem system;
  ChildOptions options;
  options.health = {1s, 0s, 3};
  REQUIRE_THAT(check(options).error().message, Catch::Matchers::Contains("health.timeout"));
  REQUIRE(system.start<Keeper>({}, options).error().is(codes::bad_value));
  options = {};
  options.shutdown.time = -1s;
  REQUIRE_THAT(check(options).error().message, Catch::Matchers::Contains("shutdown.time"));
  options = {};
  options.health.threshold = 0;
  REQUIRE_THAT(check(options).error().message, Catch::Matchers::Contains("health.threshold"));
  SystemOptions wrong;
  wrong.root.backoff.jitter = 2;
  REQUIRE_THROWS_WITH(TestSystem(0, wrong), Catch::Matchers::Contains("backoff.jitter"));
  const auto keeper = system.spawn<Keeper>().value();
  REQUIRE(system.start<Keeper>(keeper, {}).error().is(codes::no_such_actor));
}
