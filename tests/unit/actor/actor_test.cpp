// One actor: hooks, failures, its end, and who watches it.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

struct Plan {
  Diary* diary = nullptr;
  bool bad_constructor = false, bad_destructor = false, bad_start = false, bad_stop = false, bad_on_error = false;
  Directive directive = Directive::restart;
};
struct Wait {};

/// Tells its life, and goes wrong where its plan says so.
class Life {
 public:
  using Messages = Handles<Number, Boom, Seen, Wait, Act>;
  explicit Life(const Plan& plan) : plan_(plan) {
    plan_.diary->write("made");
    if (plan_.bad_constructor) throw std::runtime_error("bad constructor");
  }
  ~Life() noexcept(false) {
    plan_.diary->write("destroyed");
    if (plan_.bad_destructor) throw std::runtime_error("bad destructor");
  }
  void pre_start(Context&) {
    plan_.diary->write("start");
    if (plan_.bad_start) throw std::runtime_error("bad start");
  }
  void post_stop(Context&) {
    plan_.diary->write("stop");
    if (plan_.bad_stop) throw std::runtime_error("bad stop");
  }
  Directive on_error(const std::exception_ptr&, Context&) {
    plan_.diary->write("error");
    if (plan_.bad_on_error) throw std::runtime_error("bad on_error");
    return plan_.directive;
  }
  void on(Number number) { seen_.push_back(number.value); }
  void on(Boom) { throw std::runtime_error("boom"); }
  Numbers on(Seen) const { return seen_; }
  Task<void> on(Wait, Context& context) {
    struct Guard {
      Diary& diary;
      ~Guard() { diary.write("frame destroyed"); }
    };
    const Guard guard{*plan_.diary};
    co_await context.sleep(1h);
    plan_.diary->write("never");
  }
  void on(const Act& act, Context& context) { act.work(context); }

 private:
  Plan plan_;
  Numbers seen_;
};

/// Whom it watches, it writes down how they end.
class Watcher {
 public:
  using Messages = Handles<Down, Act>;
  explicit Watcher(Diary& diary) : diary_(diary) {}
  void on(const Down& down) { diary_.write(std::string(to_string(down.reason)) + "|" + down.name + "|" + down.what); }
  void on(const Act& act, Context& context) { act.work(context); }

 private:
  Diary& diary_;
};

struct Parent {
  using Messages = Handles<Act>;
  Diary* diary;
  std::optional<Result<Ref<Keeper>>>* too_late;
  void on(const Act& act, Context& context) { act.work(context); }
  void post_stop(Context& context) {
    diary->write("parent stops");
    *too_late = context.spawn<Keeper>();
  }
};

struct Large {
  using Messages = Handles<Seen>;
  std::array<int, 10'000> room{};
  Numbers on(Seen) const { return {room.back()}; }
};

struct alignas(256) Aligned {
  using Messages = Handles<Seen>;
  Numbers on(Seen) const { return {static_cast<int>(reinterpret_cast<std::uintptr_t>(this) % 256)}; }
};

struct Lives {
  Diary diary;
  Plan plan{&diary};
  RecordingMonitor monitor;
  TestSystem system{0, {}, &monitor};

  Ref<Life> begin() {
    auto life = system.spawn<Life>(named("life"), plan).value();
    watch(life);
    system.run_until_idle();
    return life;
  }
  void watch(const Address& whom) {
    if (!watcher_) watcher_ = system.spawn<Watcher>({}, downs).value();
    (void)system.send(watcher_, Act{[whom](Context& context) { context.watch(whom); }});
    system.run_until_idle();
  }
  bool told(std::string_view kind) const {
    const auto events = monitor.snapshot().latest;
    return std::any_of(events.begin(), events.end(), [&](const auto& event) { return event.kind == kind; });
  }
  Diary downs;

 private:
  Address watcher_;
};

}  // namespace

TEST_CASE_METHOD(Lives, "an actor starts before its first message, and stops after its last") {
  const auto life = system.spawn<Life>({}, plan).value();
  REQUIRE(diary.lines() == Lines{"made"});  // the constructor runs at once, the rest in its turn
  REQUIRE(system.info(life)->state == State::starting);
  REQUIRE(system.send(life, Number{1}));
  system.run_until_idle();
  REQUIRE(system.info(life)->state == State::running);
  system.stop(life);
  system.run_until_idle();
  REQUIRE(diary.lines() == Lines{"made", "start", "stop", "destroyed"});
  REQUIRE_FALSE(system.info(life));
}

TEST_CASE_METHOD(Lives, "a constructor that throws is a spawn that fails, and leaves nothing") {
  plan.bad_constructor = true;
  const auto failed = system.spawn<Life>(named("life"), plan);
  REQUIRE(failed.error().is(codes::actor_failed));
  REQUIRE_THAT(failed.error().message, Catch::Matchers::Contains("bad constructor"));
  REQUIRE(system.totals().actors == 0);
  REQUIRE_FALSE(system.find("life"));
  plan.bad_constructor = false;
  REQUIRE(system.spawn<Life>(named("life"), plan));
}

TEST_CASE_METHOD(Lives, "an exception of any hook or handler ends its actor, and nothing else") {
  const int where = GENERATE(0, 1, 2, 3, 4);
  CAPTURE(where);
  plan.bad_start = where == 0;
  plan.bad_stop = where == 1;
  plan.bad_destructor = where == 2;
  plan.bad_on_error = where == 3;
  const auto life = begin();
  if (where != 0) REQUIRE(system.send(life, Boom{}));
  system.run_until_idle();
  REQUIRE_FALSE(system.info(life));
  REQUIRE(system.totals().actors == 1);
  REQUIRE(system.totals().failures == 1);
  REQUIRE(downs.lines() == Lines{where == 0 ? "not_found||" : "error|life|boom"});
  REQUIRE(told("post_stop_failed") == plan.bad_stop);
  REQUIRE(told("destructor_failed") == plan.bad_destructor);
  REQUIRE(told("on_error_failed") == plan.bad_on_error);
  REQUIRE(diary.lines().back() == "destroyed");
  REQUIRE(system.spawn<Keeper>(named("life")));  // its name is free again
}

TEST_CASE_METHOD(Lives, "on_error decides: resume keeps the state, the others end the actor with their reason") {
  struct Row {
    Directive directive;
    Lines down;
  };
  const auto row =
      GENERATE(Row{Directive::resume, {}}, Row{Directive::stop, {"normal|life|boom"}},
               Row{Directive::restart, {"error|life|boom"}}, Row{Directive::escalate, {"escalated|life|boom"}});
  plan.directive = row.directive;
  const auto life = begin();
  REQUIRE(system.send(life, Number{1}));
  REQUIRE(system.send(life, Boom{}));
  REQUIRE(system.send(life, Number{2}));
  system.run_until_idle();
  REQUIRE(downs.lines() == row.down);
  REQUIRE(static_cast<bool>(system.info(life)) == row.down.empty());
  if (row.down.empty()) REQUIRE(seen(system, life) == Numbers{1, 2});
  if (!row.down.empty()) REQUIRE(dropped(system, Drop::stopped) == 1);
}

TEST_CASE_METHOD(Lives, "a coroutine handler that still waits is destroyed with its actor, before post_stop") {
  const auto life = begin();
  auto answer = system.ask(life, Wait{});
  system.run_until_idle();
  system.stop(life);
  system.run_until_idle();
  REQUIRE(diary.lines() == Lines{"made", "start", "frame destroyed", "stop", "destroyed"});
  REQUIRE(answer.wait().error().is(codes::actor_failed));
  system.advance(2h);
  REQUIRE(diary.lines().size() == 5);
}

TEST_CASE_METHOD(Lives, "the destructor of a system ends handlers that still wait") {
  {
    TestSystem inner;
    const auto life = inner.spawn<Life>({}, plan).value();
    REQUIRE(inner.send(life, Wait{}));
    inner.run_until_idle();
    REQUIRE(inner.send(life, Number{1}));
  }
  REQUIRE(diary.lines() == Lines{"made", "start", "frame destroyed", "stop", "destroyed"});
}

TEST_CASE_METHOD(Lives, "an actor handles one message at a time, unless it interleaves") {
  struct Order {
    static Play of(Diary& diary, const std::string& name) {
      return Play{[&diary, name](Context& context) -> Task<void> {
        diary.write(name + " begins");
        co_await context.sleep(1s);
        diary.write(name + " ends");
      }};
    }
  };
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Order::of(diary, "first")));
  REQUIRE(system.send(player, Order::of(diary, "second")));
  system.advance(10s);
  REQUIRE(diary.take() == Lines{"first begins", "first ends", "second begins", "second ends"});

  const auto open = system.spawn<Juggler>().value();
  REQUIRE(system.send(open, Order::of(diary, "first")));
  REQUIRE(system.send(open, Order::of(diary, "second")));
  system.advance(10s);
  REQUIRE(diary.take() == Lines{"first begins", "second begins", "first ends", "second ends"});
}

TEST_CASE_METHOD(Lives, "a failure of one interleaving handler ends the others") {
  const auto open = system.spawn<Juggler>().value();
  watch(open);
  for (const Duration delay : {2s, 1s, 3s}) {
    REQUIRE(system.send(open, Play{[delay, this](Context& context) -> Task<void> {
                          co_await context.sleep(delay);
                          diary.write("slept " + to_text(delay));
                          if (delay == Duration(2s)) throw std::runtime_error("boom");
                        }}));
  }
  system.advance(10s);
  REQUIRE(diary.lines().size() == 2);
  REQUIRE(downs.lines() == Lines{"error||boom"});
}

TEST_CASE_METHOD(Lives, "stop() ends an actor after its handler; what waits becomes dead letters") {
  const auto life = begin();
  REQUIRE(system.send(life, Act{[this](Context& context) {
                        context.stop();
                        diary.write("goes on");
                      }}));
  REQUIRE(system.send(life, Number{1}));
  system.run_until_idle();
  REQUIRE(diary.lines() == Lines{"made", "start", "goes on", "stop", "destroyed"});
  REQUIRE(downs.lines() == Lines{"normal|life|"});
  REQUIRE(system.dead_letters().size() == 1);
  REQUIRE(system.dead_letters()[0].target_name == "life");
  REQUIRE(system.dead_letters()[0].reason == Drop::stopped);
}

TEST_CASE_METHOD(Lives, "children stop before their parent, and none is added to one that stops") {
  std::optional<Result<Ref<Keeper>>> too_late;
  const auto parent = system.spawn<Parent>({}, Parent{&diary, &too_late}).value();
  REQUIRE(system.send(parent, Act{[this](Context& context) {
                        for (int i = 0; i < 3; ++i) (void)context.spawn<Life>({}, plan);
                      }}));
  system.run_until_idle();
  REQUIRE(system.totals().actors == 4);
  (void)diary.take();
  system.stop(parent);
  system.run_until_idle();
  const auto lines = diary.lines();
  REQUIRE(lines.size() == 7);
  REQUIRE(lines.back() == "parent stops");
  REQUIRE(too_late->error().is(codes::system_stopping));
  REQUIRE(system.totals().actors == 0);
}

TEST_CASE_METHOD(Lives, "watching what does not exist answers at once; a restart is no end") {
  watch(Address());
  REQUIRE(downs.take() == Lines{"not_found||"});
  const auto gone = system.spawn<Keeper>().value();
  system.stop(gone);
  system.run_until_idle();
  watch(gone);
  REQUIRE(downs.take() == Lines{"not_found||"});

  ChildOptions options;
  options.name = "child";
  const auto child = system.start<Keeper>({}, options).value();
  watch(child);
  REQUIRE(system.send(child, Boom{}));
  system.advance(1s);
  REQUIRE(downs.take().empty());
  system.stop(child);
  system.run_until_idle();
  REQUIRE(downs.take() == Lines{"shutdown|child|"});
}

TEST_CASE_METHOD(Lives, "twice watched is twice told, unwatched is not told") {
  const auto keeper = system.spawn<Keeper>().value();
  const auto other = system.spawn<Keeper>().value();
  watch(keeper);
  watch(keeper);
  const auto watcher = system.spawn<Watcher>({}, downs).value();
  REQUIRE(system.send(watcher, Act{[other](Context& context) {
                        context.watch(other);
                        context.unwatch(other);
                      }}));
  system.run_until_idle();
  system.stop(keeper);
  system.stop(other);
  system.run_until_idle();
  REQUIRE(downs.lines() == Lines{"shutdown||", "shutdown||"});
}

TEST_CASE("a limit of one actor refuses the second by its numbers, until the first has stopped") {
  SystemOptions options;
  options.actors_max = 1;
  TestSystem system(0, options);
  const auto first = system.spawn<Keeper>().value();
  const auto second = system.spawn<Keeper>();
  REQUIRE(second.error().is(codes::too_many_actors));
  REQUIRE(second.error().kind == ErrorKind::overloaded);
  REQUIRE_THAT(second.error().message,
               Catch::Matchers::Contains("limit of 1 actors") && Catch::Matchers::Contains("actors_max"));
  REQUIRE(system.start<Keeper>({}, {}).error().is(codes::too_many_actors));
  REQUIRE(system.totals().actors == 1);
  system.stop(first);
  system.run_until_idle();
  REQUIRE(system.totals().actors == 0);
  REQUIRE(system.spawn<Keeper>());
}

TEST_CASE("an old address never reaches a new actor, though the memory is used again") {
  TestSystem system;
  std::vector<Address> old;
  for (int i = 0; i < 100; ++i) {
    const auto keeper = system.spawn<Keeper>().value();
    for (const auto& address : old) REQUIRE(address != keeper);
    old.push_back(keeper);
    system.stop(keeper);
    system.run_until_idle();
  }
  const auto fresh = system.spawn<Keeper>().value();
  for (const auto& address : old) {
    REQUIRE(system.send(address, Number{1}).error().is(codes::actor_closed));
    REQUIRE_FALSE(system.info(address));
    system.stop(address);
  }
  REQUIRE(seen(system, fresh).empty());
  REQUIRE(system.info(fresh)->received == 1);  // the question only
}

TEST_CASE("an object of any size and alignment is an actor") {
  TestSystem system;
  for (int i = 0; i < 3; ++i) {
    const auto large = system.spawn<Large>().value();
    const auto aligned = system.spawn<Aligned>().value();
    REQUIRE(seen(system, large) == Numbers{0});
    REQUIRE(seen(system, aligned) == Numbers{0});
    system.stop(large);
    system.stop(aligned);
    system.run_until_idle();
  }
}

TEST_CASE("a failure is told with the number of restarts before it, however many") {
  RecordingMonitor monitor;
  monitor.from(Level::error);
  SystemOptions options;
  options.root.backoff = Backoff::none();
  options.root.child_limit.restarts = options.root.total_limit.restarts = 0;
  TestSystem system(0, options, &monitor);
  const auto keeper = system.start<Keeper>({}, {}).value();
  for (int i = 0; i < 300; ++i) REQUIRE(system.send(keeper, Boom{}));
  system.run_until_idle();
  const auto failures = monitor.snapshot().latest;
  REQUIRE(failures.size() == 300);
  REQUIRE(failures.back().fields.back().key == "restarts");
  REQUIRE(failures.back().fields.back().value == "299");
  REQUIRE(system.info(keeper)->restarts == 255);  // or more
}
