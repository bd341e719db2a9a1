// Names, and pools of actors under one name.
#include <set>

#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

PoolOptions pool_of(std::size_t size, Pick pick) {
  PoolOptions options;
  options.name = "workers";
  options.size = size;
  options.pick = pick;
  options.supervision.backoff = Backoff::none();
  return options;
}

}  // namespace

TEST_CASE("a name belongs to one actor; the second is refused and leaves nothing") {
  TestSystem system;
  const auto first = system.spawn<Keeper>(named("shop/till-1")).value();
  const auto second = system.spawn<Keeper>(named("shop/till-1"));
  REQUIRE(second.error().is(codes::actor_exists));
  REQUIRE(second.error().kind == ErrorKind::duplicate);
  REQUIRE_THAT(second.error().message, Catch::Matchers::Contains("shop/till-1"));
  ChildOptions options;
  options.name = "shop/till-1";
  REQUIRE(system.start<Keeper>({}, options).error().is(codes::actor_exists));
  REQUIRE(system.totals().actors == 1);
  REQUIRE(system.find("shop/till-1") == first);
  REQUIRE(system.send("shop/till-1", Number{1}));
  REQUIRE(seen(system, first) == Numbers{1});
}

TEST_CASE("a name is free when its actor has stopped; what comes for it meanwhile is a dead letter") {
  TestSystem system;
  system.stop(system.spawn<Keeper>(named("till")).value());
  system.run_until_idle();
  const auto nobody = system.send("till", Number{7});
  REQUIRE(nobody.error().is(codes::no_such_actor));
  REQUIRE_THAT(nobody.error().message, Catch::Matchers::Contains("till"));
  const auto letters = system.dead_letters();
  REQUIRE(letters.size() == 1);
  REQUIRE(letters[0].target_name == "till");
  REQUIRE(letters[0].reason == Drop::no_such_actor);
  const auto next = system.spawn<Keeper>(named("till")).value();
  REQUIRE(system.resend(letters[0].number));  // to whom it was meant for, by name
  REQUIRE(seen(system, next) == Numbers{7});
}

TEST_CASE("names that are empty, too long, or made of other letters are refused in words") {
  REQUIRE(check_actor_name("a.b:c/d@e_f-0"));
  REQUIRE(check_actor_name(std::string(128, 'x')));
  REQUIRE(check_actor_name("").error().is(codes::bad_name));
  REQUIRE(check_actor_name(std::string(129, 'x')).error().is(codes::bad_name));
  REQUIRE_THAT(check_actor_name("two words").error().message, Catch::Matchers::Contains("character 4"));

  const std::string huge(10 * 1024, 'x');
  TestSystem system;
  const auto refused = system.spawn<Keeper>(named(huge));
  REQUIRE(refused.error().is(codes::bad_name));
  REQUIRE(refused.error().message.size() < 200);
  REQUIRE_FALSE(system.find(huge));
  const auto sent = system.send(huge, Number{1});
  REQUIRE(sent.error().is(codes::no_such_actor));
  REQUIRE(sent.error().message.size() < 300);
  REQUIRE(system.dead_letters()[0].target_name.size() == 128);
  auto options = pool_of(2, Pick::round_robin);
  options.name = huge;
  REQUIRE(system.start_pool<Keeper>(options).error().is(codes::bad_name));
  REQUIRE(system.totals().actors == 0);
}

TEST_CASE("round robin over a pool of three: the fourth pick equals the first") {
  TestSystem system;
  const auto pool = system.start_pool<Keeper>(pool_of(3, Pick::round_robin)).value();
  const auto first = pool.pick(), second = pool.pick(), third = pool.pick();
  REQUIRE(std::set<std::uint64_t>{first.id(), second.id(), third.id()}.size() == 3);
  REQUIRE(pool.pick() == first);
  for (int i = 0; i < 9; ++i) REQUIRE(system.send("workers", Number{i}));
  for (const auto& member : pool.members()) REQUIRE(seen(system, member).size() == 3);
  REQUIRE(system.find("workers/2") == pool.members()[2]);
}

TEST_CASE("least loaded avoids who is stuck") {
  TestSystem system;
  auto options = pool_of(3, Pick::least_loaded);
  const auto pool = system.start_pool<Player>(options).value();
  system.run_until_idle();
  const auto stuck = pool.pick();
  REQUIRE(system.send(stuck, Play{[](Context& context) -> Task<void> { co_await context.sleep(1h); }}));
  system.run_until_idle();
  for (int i = 0; i < 20; ++i) {
    const auto member = pool.pick();
    REQUIRE(member != stuck);
    REQUIRE(system.send(member, Number{i}));
    system.run_until_idle();
  }
  for (int i = 0; i < 9; ++i) REQUIRE(system.send("workers", Number{i}));  // nobody takes any: they are spread
  std::vector<std::uint32_t> depths;
  for (const auto& member : pool.members()) depths.push_back(depth(system, member));
  std::sort(depths.begin(), depths.end());
  REQUIRE(depths.back() - depths.front() <= 1);
}

TEST_CASE("random picks are even, and the same with the same seed") {
  TestSystem system;
  auto options = pool_of(4, Pick::random);
  options.seed = 7;
  const auto pool = system.start_pool<Keeper>(options).value();
  options.name = "others";
  const auto others = system.start_pool<Keeper>(options).value();
  std::vector<int> counts(4, 0);
  for (int i = 0; i < 4000; ++i) {
    const auto one = pool.pick(), other = others.pick();
    for (std::size_t m = 0; m < 4; ++m) {
      REQUIRE((one == pool.members()[m]) == (other == others.members()[m]));
      counts[m] += one == pool.members()[m] ? 1 : 0;
    }
  }
  for (const int count : counts) REQUIRE((count > 850 && count < 1150));
}

TEST_CASE("consistent hash: a key keeps its member, and only the keys of one that goes move") {
  TestSystem system;
  const auto pool = system.start_pool<Keeper>(pool_of(5, Pick::consistent_hash)).value();
  system.run_until_idle();
  std::map<std::string, Address> before;
  std::set<std::uint64_t> used;
  for (int i = 0; i < 500; ++i) {
    const std::string key = "key-" + std::to_string(i);
    before[key] = pool.pick(key);
    used.insert(before[key].id());
    REQUIRE(pool.pick(key) == before[key]);
  }
  REQUIRE(used.size() == 5);
  const Address gone = pool.members()[2];
  system.stop(gone);
  system.run_until_idle();
  for (const auto& [key, member] : before) {
    if (member == gone) {
      REQUIRE(pool.pick(key) != gone);
    } else {
      REQUIRE(pool.pick(key) == member);
    }
  }
}

TEST_CASE("members are restarted at their address, and a pool ends with its supervisor") {
  TestSystem system;
  const auto pool = system.start_pool<Keeper>(pool_of(3, Pick::round_robin)).value();
  system.run_until_idle();
  const auto member = pool.members()[1];
  REQUIRE(system.send(member, Boom{}));
  system.run_until_idle();
  REQUIRE(system.info(member)->restarts == 1);
  REQUIRE(system.send(member, Number{1}));
  REQUIRE(seen(system, member) == Numbers{1});
  system.stop(pool.supervisor());
  system.run_until_idle();
  REQUIRE_FALSE(pool.pick());
  REQUIRE_FALSE(system.find("workers"));
  REQUIRE(system.send("workers", Number{1}).error().is(codes::no_such_actor));
  REQUIRE(system.totals().actors == 0);
  REQUIRE(system.start_pool<Keeper>(pool_of(3, Pick::round_robin)));
}

TEST_CASE("a pool whose members fail too often is gone, and its name is free") {
  TestSystem system;
  auto options = pool_of(3, Pick::round_robin);
  options.supervision.total_limit.restarts = 1;
  const auto pool = system.start_pool<Keeper>(options).value();
  system.run_until_idle();
  REQUIRE(system.send(pool.pick(), Boom()));
  system.run_until_idle();
  REQUIRE(pool.pick());
  REQUIRE(system.send(pool.pick(), Boom()));
  system.run_until_idle();
  REQUIRE_FALSE(pool.pick());
  REQUIRE_FALSE(system.find("workers"));
  REQUIRE(system.totals().actors == 0);
  REQUIRE(system.start_pool<Keeper>(options));
}

TEST_CASE("a pool of none, of too many, or under a name that is taken is refused, and leaves nothing") {
  TestSystem system;
  REQUIRE(system.start_pool<Keeper>(pool_of(0, Pick::random)).error().is(codes::bad_value));
  REQUIRE(system.start_pool<Keeper>(pool_of(65'537, Pick::random)).error().is(codes::bad_value));
  const auto taken = system.spawn<Keeper>(named("workers/1")).value();
  REQUIRE(system.start_pool<Keeper>(pool_of(3, Pick::random)).error().is(codes::actor_exists));
  system.run_until_idle();
  REQUIRE(system.totals().actors == 1);
  REQUIRE_FALSE(system.find("workers"));
  REQUIRE_FALSE(system.find("workers/0"));
  system.stop(taken);
}
