// Messages: priority, time to live, trace, and where those end that reach nobody.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

SendOptions of(Priority priority) {
  SendOptions options;
  options.priority = priority;
  return options;
}
SendOptions lives(Duration ttl) {
  SendOptions options;
  options.ttl = ttl;
  return options;
}

struct Traced {};
/// Tells the trace of what it gets, and passes it on.
class Relay {
 public:
  using Messages = Handles<Traced>;
  Relay(Diary& diary, Address next) : diary_(diary), next_(next) {}
  void on(Traced traced, Context& context) {
    diary_.write(context.trace() ? std::to_string(context.trace()->trace_id[0]) : "none");
    if (next_) (void)context.send(next_, traced);
  }

 private:
  Diary& diary_;
  Address next_;
};

/// Tells the current trace of its thread, before and after it waits.
struct Looks {};
class Looker {
 public:
  using Messages = Handles<Looks, Traced, int>;
  static constexpr bool interleaves = true;
  Looker(Diary& diary, Address asked) : diary_(diary), asked_(asked) {}
  Task<void> on(Looks, Context& context) {
    write("begins");
    co_await context.sleep(10ms);
    write("slept");
    if (asked_) (void)co_await context.request<int>(asked_, 1, 1s);
    write("asked");
    Traced traced;
    (void)co_await context.deliver(context.self(), traced);
    write("delivered");
  }
  void on(Traced) { write("plain"); }
  int on(int value) const {
    write("answers");
    return value;
  }

 private:
  void write(const std::string& what) const {
    diary_.write(what + " " + (current_trace() ? std::to_string(current_trace()->trace_id[0]) : "none"));
  }
  Diary& diary_;
  Address asked_;
};

TraceContext trace_of(std::uint8_t number) {
  TraceContext trace;
  trace.trace_id[0] = number;
  return trace;
}

struct OnlyMoves {
  std::unique_ptr<int> value;
};
class Mover {
 public:
  using Messages = Handles<OnlyMoves>;
  std::unique_ptr<int> on(OnlyMoves message) { return std::move(message.value); }
};

}  // namespace

TEST_CASE("critical and high overtake what waits below them; the order of each priority is kept") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>().value();
  int number = 0;
  for (const Priority priority : {Priority::low, Priority::normal, Priority::high, Priority::critical})
    for (int i = 0; i < 3; ++i) REQUIRE(system.send(keeper, Number{++number}, of(priority)));
  system.run_until_idle();
  REQUIRE(seen(system, keeper) == Numbers{10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3});
}

TEST_CASE("priorities overtake in a mailbox that drops the oldest too") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(3, Overflow::drop_oldest)).value();
  REQUIRE(system.send(keeper, Number{1}));
  REQUIRE(system.send(keeper, Number{2}));
  REQUIRE(system.send(keeper, Number{3}, of(Priority::high)));
  REQUIRE(system.send(keeper, Number{4}));
  system.run_until_idle();
  REQUIRE(seen(system, keeper) == Numbers{3, 2, 4});
}

TEST_CASE("no priority starves: one message in sixteen comes from below") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(0, Overflow::fail)).value();
  for (int i = 0; i < 20; ++i) {
    REQUIRE(system.send(keeper, Number{-1}, of(Priority::low)));
    REQUIRE(system.send(keeper, Number{-2}));
  }
  for (int i = 0; i < 500; ++i) REQUIRE(system.send(keeper, Number{i}, of(Priority::critical)));
  system.run_until_idle();
  const auto all = seen(system, keeper);
  const auto early = all.begin() + 200;
  REQUIRE(std::count(all.begin(), early, -1) >= 3);
  REQUIRE(std::count(all.begin(), early, -2) >= 3);
  REQUIRE(std::count_if(all.begin(), early, [](int n) { return n < 0; }) <= 13);
}

TEST_CASE("a message whose time to live passed is dropped before the handler, counted, and no longer in the depth") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>().value();
  REQUIRE(system.send(keeper, Number{1}, lives(10ms)));
  REQUIRE(system.send(keeper, Number{2}, lives(1h)));
  REQUIRE(system.send(keeper, Number{3}));
  auto expired = system.ask<Numbers>(keeper, Seen{}, lives(10ms));
  REQUIRE(depth(system, keeper) == 4);
  static_cast<ManualClock&>(const_cast<Clock&>(system.clock())).advance(10ms);
  system.run_until_idle();
  REQUIRE(seen(system, keeper) == Numbers{2, 3});
  REQUIRE(dropped(system, keeper, Drop::expired) == 2);
  REQUIRE(depth(system, keeper) == 0);
  REQUIRE(system.totals().depth == 0);
  REQUIRE(expired.wait().error().is(codes::message_expired));
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE("a trace goes on from the message in hand to what its handler sends, unless it says otherwise") {
  TestSystem system;
  Diary diary;
  const auto last = system.spawn<Relay>({}, diary, Address()).value();
  const auto middle = system.spawn<Relay>({}, diary, last).value();
  const auto first = system.spawn<Relay>({}, diary, middle).value();
  SendOptions options;
  options.trace.emplace();
  options.trace->trace_id[0] = 42;
  REQUIRE(system.send(first, Traced{}, options));
  system.run_until_idle();
  REQUIRE(diary.take() == Lines{"42", "42", "42"});
  REQUIRE(system.send(first, Traced{}));
  system.run_until_idle();
  REQUIRE(diary.take() == Lines{"none", "none", "none"});
}

TEST_CASE("what is sent by work that has a trace belongs to it, though nobody says so") {
  TestSystem system;
  Diary diary;
  const auto last = system.spawn<Relay>({}, diary, Address()).value();
  const auto first = system.spawn<Relay>({}, diary, last).value();
  {
    const TraceScope scope(trace_of(7));
    REQUIRE(system.send(first, Traced{}));
    SendOptions options;
    options.trace = trace_of(8);
    REQUIRE(system.send(first, Traced{}, options));
  }
  REQUIRE(system.send(first, Traced{}));
  system.run_until_idle();
  auto seen_by_both = diary.take();
  std::sort(seen_by_both.begin(), seen_by_both.end());
  REQUIRE(seen_by_both == Lines{"7", "7", "8", "8", "none", "none"});
}

TEST_CASE("a handler works in the trace of its message, also when it goes on after waiting, and nobody else does") {
  TestSystem system;
  Diary diary;
  const auto asked = system.spawn<Looker>({}, diary, Address()).value();
  const auto looker = system.spawn<Looker>({}, diary, asked).value();
  SendOptions options;
  options.trace = trace_of(5);
  REQUIRE(system.send(looker, Looks{}, options));
  system.run_until_idle();
  REQUIRE(system.send(looker, Traced{}));
  system.run_until_idle();
  REQUIRE(diary.take() == Lines{"begins 5", "plain none"});
  REQUIRE_FALSE(current_trace());
  system.advance(10ms);
  REQUIRE(diary.take() == Lines{"slept 5", "answers 5", "asked 5", "delivered 5", "plain 5"});
  REQUIRE_FALSE(current_trace());
}

TEST_CASE("two handlers of one actor that wait in turns keep each to its own trace") {
  TestSystem system;
  Diary diary;
  const auto looker = system.spawn<Looker>({}, diary, Address()).value();
  SendOptions options;
  options.trace = trace_of(1);
  REQUIRE(system.send(looker, Looks{}, options));
  REQUIRE(system.send(looker, Looks{}));
  options.trace = trace_of(3);
  REQUIRE(system.send(looker, Looks{}, options));
  system.run_until_idle();
  REQUIRE(diary.take() == Lines{"begins 1", "begins none", "begins 3"});
  system.advance(10ms);
  REQUIRE(diary.take() == Lines{"slept 1", "asked 1", "delivered 1", "slept none", "asked none", "delivered none",
                                "slept 3", "asked 3", "delivered 3", "plain 1", "plain none", "plain 3"});
}

TEST_CASE("any movable type is a message and an answer, and its name is the one of C++") {
  TestSystem system;
  const auto mover = system.spawn<Mover>().value();
  OnlyMoves message;
  message.value = std::make_unique<int>(5);
  REQUIRE(*answer_of(system, mover, std::move(message)).value() == 5);
  STATIC_REQUIRE(message_type<int>.name == "int");
  STATIC_REQUIRE(message_type<Drop>.name == "weft::actor::Drop");
}

TEST_CASE("dead letters: counted, with their reason, listed and sent again") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(named("keeper")).value();
  const auto gone = system.spawn<Keeper>(named("gone")).value();
  REQUIRE(system.send(gone, Number{1}));
  system.stop(gone);
  system.run_until_idle();
  REQUIRE_FALSE(system.send(gone, Number{2}));
  REQUIRE_FALSE(system.send(Address(), Number{3}));
  const Address untyped = keeper;
  REQUIRE(system.send(untyped, std::string("what")));
  system.run_until_idle();
  const auto letters = system.dead_letters();
  REQUIRE(letters.size() == 4);
  REQUIRE(letters[0].reason == Drop::stopped);
  REQUIRE(letters[0].target == gone.id());
  REQUIRE(letters[0].target_name == "gone");
  REQUIRE_THAT(std::string(letters[0].message), Catch::Matchers::Contains("Number"));
  REQUIRE(letters[1].reason == Drop::stopped);
  REQUIRE(letters[2].reason == Drop::no_such_actor);
  REQUIRE(letters[2].target == 0);
  REQUIRE(letters[3].reason == Drop::unhandled);
  REQUIRE(dropped(system, Drop::stopped) == 2);
  REQUIRE(dropped(system, keeper, Drop::unhandled) == 1);
  for (const int i : {2, 1, 0}) REQUIRE(system.resend(letters[static_cast<std::size_t>(i)].number, keeper));
  REQUIRE(seen(system, keeper) == Numbers{3, 2, 1});
  REQUIRE(system.resend(letters[0].number, keeper).error().is(codes::no_such_actor));  // it is no longer there
  REQUIRE(system.resend(letters[3].number));  // to whom it was meant for, who still does not handle it
  system.run_until_idle();
  REQUIRE(system.dead_letters().size() == 1);
}

TEST_CASE("dead letters are bounded: the newest stay; with room for none they are counted only") {
  const std::size_t most = GENERATE(0U, 1U, 10U);
  SystemOptions options;
  options.dead_letters_max = most;
  TestSystem system(0, options);
  for (int i = 0; i < 100; ++i) REQUIRE_FALSE(system.send("nobody", Number{i}));
  REQUIRE(system.dead_letters().size() == most);
  if (most > 0) REQUIRE(system.dead_letters().back().number == 100);
  REQUIRE(dropped(system, Drop::no_such_actor) == 100);
}

TEST_CASE("ten thousand dead letters are kept unless told otherwise, and end with the system") {
  TestSystem system;
  for (int i = 0; i < 10'001; ++i) REQUIRE_FALSE(system.send("nobody", std::make_shared<int>(i)));
  REQUIRE(system.dead_letters().size() == 10'000);
  REQUIRE(system.dead_letters().front().number == 2);
}

TEST_CASE("a promise of an answer may lie among the dead letters when the system ends") {
  TestSystem system;
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Play{[](Context& context) -> Task<void> {
                        Responder<int> give;
                        auto wait = context.promise<int>(give, 1h);
                        (void)context.send("nobody", std::move(give));
                        (void)co_await wait;
                      }}));
  system.run_until_idle();
  REQUIRE(system.dead_letters().size() == 1);
}
