// Calls that wait for themselves through others.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

struct Call {
  std::vector<Address> through;  ///< next first
};

/// Calls on, one at a time.
template <bool interleaving>
class Caller {
 public:
  using Messages = Handles<Call>;
  static constexpr bool interleaves = interleaving;
  Task<Result<int>> on(Call call, Context& context) {
    if (call.through.empty()) co_return 1;
    const Address next = call.through.front();
    call.through.erase(call.through.begin());
    auto answer = co_await context.request<int>(next, std::move(call), 1h);
    if (!answer) co_return std::move(answer.error());
    co_return *answer + 1;
  }
};
using One = Caller<false>;
using Many = Caller<true>;

}  // namespace

TEST_CASE("A calls B calls A: call_cycle at once, and it names both") {
  TestSystem system;
  const auto a = system.spawn<One>(named("alice")).value();
  const auto b = system.spawn<One>(named("bob")).value();
  const auto answer = told(system, system.ask<int>(a, Call{{b, a}}));
  REQUIRE(answer.error().is(codes::call_cycle));
  REQUIRE_THAT(answer.error().message, Catch::Matchers::Contains("alice") && Catch::Matchers::Contains("bob"));
  REQUIRE(told(system, system.ask<int>(a, Call{{b}})).value() == 2);  // and both go on as before
  REQUIRE(told(system, system.ask<int>(b, Call{{a}})).value() == 2);
}

TEST_CASE("a cycle of three, and a call of oneself") {
  TestSystem system;
  const auto a = system.spawn<One>(named("a")).value();
  const auto b = system.spawn<One>(named("b")).value();
  const auto c = system.spawn<One>(named("c")).value();
  const auto answer = told(system, system.ask<int>(a, Call{{b, c, a}}));
  REQUIRE(answer.error().is(codes::call_cycle));
  REQUIRE_THAT(answer.error().message, Catch::Matchers::Contains("'c' calls actor 'a' calls actor 'b'"));
  REQUIRE(told(system, system.ask<int>(a, Call{{a}})).error().is(codes::call_cycle));
  REQUIRE(told(system, system.ask<int>(a, Call{{b, c}})).value() == 3);
}

TEST_CASE("who interleaves answers while it waits: that is no cycle") {
  TestSystem system;
  const auto many = system.spawn<Many>().value();
  const auto one = system.spawn<One>().value();
  REQUIRE(told(system, system.ask<int>(many, Call{{one, many}})).value() == 3);
  REQUIRE(told(system, system.ask<int>(many, Call{{many, many, many}})).value() == 4);
}

TEST_CASE("no false cycle where two actors call each other in turn over two threads") {
  std::atomic<int> rounds{0}, cycles{0};
  System system(parallel({2, {}}));
  const auto a = system.spawn<Player>().value();
  const auto b = system.spawn<Player>().value();
  constexpr int kRounds = 3000;
  // a calls b; b has answered when a goes on; only then, told by a message, b calls a.
  struct Round {
    static Task<void> of(Context& context, Ref<Player> self, Ref<Player> other, std::atomic<int>& rounds,
                         std::atomic<int>& cycles) {
      auto asking = context.request<Done>(other, Act{[](Context&) {}}, 30s);
      auto answer = co_await asking;
      if (!answer) ++cycles;
      if (++rounds >= kRounds) co_return;
      (void)context.send(other, Play{[other, self, &rounds, &cycles](Context& next) {
                           return of(next, other, self, rounds, cycles);
                         }});
    }
  };
  REQUIRE(system.send(a, Play{[&, a, b](Context& context) { return Round::of(context, a, b, rounds, cycles); }}));
  REQUIRE(eventually([&] { return rounds >= kRounds; }));
  REQUIRE(cycles == 0);
}

TEST_CASE("an answer that was promised to come from elsewhere is no cycle") {
  TestSystem system;
  Responder<int> kept;
  const auto asker = system.spawn<Player>().value();
  const auto clerk = system.spawn<Player>().value();
  std::optional<Result<int>> got;
  REQUIRE(system.send(asker, Play{[&, clerk](Context& context) -> Task<void> {
                        auto asking = context.request<int>(
                            clerk, Act{[&kept](Context& inner) { kept = inner.reply_later<int>(); }}, 1h);
                        got = co_await asking;
                      }}));
  system.run_until_idle();
  std::optional<bool> cycle;
  REQUIRE(system.send(clerk, Play{[&, asker](Context& context) -> Task<void> {
                        auto asking = context.request<Done>(asker, Act{[](Context&) {}}, 1s);
                        auto answer = co_await asking;
                        cycle = !answer && answer.error().is(codes::call_cycle);
                      }}));
  system.run_until_idle();
  REQUIRE_FALSE(cycle);  // it waits: the asker is busy until somebody answers it
  kept(1);
  system.run_until_idle();
  REQUIRE(got->value() == 1);
  REQUIRE(cycle == false);
}
