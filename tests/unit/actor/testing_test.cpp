// The system for tests: what it promises to those who write them.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

/// Ten actors that send each other numbers, at random by the seed alone.
std::vector<TestSystem::Step> chatter(std::uint64_t seed) {
  TestSystem system(seed);
  std::vector<Ref<Actor>> actors;
  for (int i = 0; i < 10; ++i) actors.push_back(system.spawn<Actor>().value());
  std::function<void(Context&, std::size_t, int)> tell = [&](Context& context, std::size_t to, int hops) {
    if (hops == 0) return;
    (void)context.send(actors[to % 10], Act{[&tell, to, hops](Context& next) {
                         tell(next, to * 3 + 1, hops - 1);
                         tell(next, to + 7, hops - 1);
                       }});
  };
  for (std::size_t i = 0; i < 10; ++i)
    (void)system.send(actors[i], Act{[&tell, i](Context& context) { tell(context, i, 5); }});
  system.run_until_idle();
  return system.steps();
}

}  // namespace

TEST_CASE("the same seed gives the same interleaving, another seed another one") {
  const auto one = chatter(1);
  REQUIRE(one.size() > 300);
  for (int i = 0; i < 5; ++i) REQUIRE(chatter(1) == one);
  REQUIRE(chatter(2) != one);
  REQUIRE(chatter(2).size() == one.size());
}

TEST_CASE("expect handles the next message if it is the one, and says what was there instead") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(named("keeper")).value();
  REQUIRE_THROWS_WITH(system.expect<Number>(keeper),
                      Catch::Matchers::Contains("keeper") && Catch::Matchers::Contains("nothing waits"));
  REQUIRE(system.send(keeper, Number{1}));
  REQUIRE_THROWS_WITH(system.expect<Seen>(keeper), Catch::Matchers::Contains("Number"));
  REQUIRE_THROWS_AS(system.expect<Number>(keeper, [](const Number& n) { return n.value == 2; }), Unexpected);
  REQUIRE_THROWS_AS(system.disallow<Number>(keeper), Unexpected);
  REQUIRE_NOTHROW(system.disallow<Seen>(keeper));
  REQUIRE_FALSE(system.allow<Seen>(keeper));
  REQUIRE(system.steps().empty());  // nothing was handled by a question
  REQUIRE(system.allow<Number>(keeper, [](const Number& n) { return n.value == 1; }));
  REQUIRE(system.steps().size() == 1);
  REQUIRE(seen(system, keeper) == Numbers{1});
  REQUIRE_THROWS_AS(system.expect<Number>(Address()), Unexpected);
}

TEST_CASE("expect_from looks at the sender") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(named("keeper")).value();
  const auto actor = system.spawn<Actor>(named("actor")).value();
  REQUIRE(system.send(actor, Act{[keeper](Context& context) { (void)context.send(keeper, Number{1}); }}));
  REQUIRE(system.step());
  REQUIRE_THROWS_WITH((system.expect_from<Number>(keeper, keeper)), Catch::Matchers::Contains("actor 'actor'"));
  REQUIRE_NOTHROW((system.expect_from<Number>(actor, keeper)));
}

TEST_CASE("time moves when told, and stops at each timer on the way") {
  TestSystem system;
  const TimePoint start = system.now();
  std::vector<Duration> at;
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Play{[&at, start](Context& context) -> Task<void> {
                        for (int i = 0; i < 3; ++i) {
                          co_await context.sleep(1s);
                          at.push_back(context.now() - start);
                        }
                      }}));
  system.run_until_idle();
  REQUIRE(system.now() == start);
  system.advance(10s);
  REQUIRE(at == std::vector<Duration>{1s, 2s, 3s});
  REQUIRE(system.now() == start + 10s);
}

TEST_CASE("who never ends is found out") {
  std::function<void(Context&)> again = [&](Context& context) { (void)context.send(context.self(), Act{again}); };
  TestSystem system;
  const auto actor = system.spawn<Actor>().value();
  REQUIRE(system.send(actor, Act{again}));
  REQUIRE_THROWS_AS(system.run_until_idle(1000), Unexpected);
}

TEST_CASE("two systems beside each other, one inside a handler of the other") {
  TestSystem outer;
  const auto keeper = outer.spawn<Keeper>().value();
  const auto actor = outer.spawn<Actor>().value();
  REQUIRE(outer.send(actor, Act{[keeper](Context& context) {
                       TestSystem inner;
                       const auto own = inner.spawn<Keeper>().value();
                       (void)inner.send(own, Number{1});
                       if (seen(inner, own) != Numbers{1}) throw Unexpected("lost");
                       (void)context.send(keeper, Number{2});
                     }}));
  REQUIRE(seen(outer, keeper) == Numbers{2});
  REQUIRE(outer.totals().failures == 0);
  REQUIRE(outer.info(actor)->sent == 1);
}
