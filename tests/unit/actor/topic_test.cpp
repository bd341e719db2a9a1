// Topics: who gets what is published.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

struct Topic {
  std::string pattern;
  bool subscribe = true;
};
class Listener : public Keeper {
 public:
  using Messages = Handles<Number, Boom, Seen, Topic>;
  using Keeper::on;
  Result<void> on(const Topic& topic, Context& context) {
    if (topic.subscribe) return context.subscribe(topic.pattern);
    context.unsubscribe(topic.pattern);
    return {};
  }
};

struct Room {
  TestSystem system;
  Ref<Listener> listener(const std::string& pattern, SpawnOptions options = {}) {
    auto fresh = system.spawn<Listener>(std::move(options)).value();
    REQUIRE(answer_of(system, fresh, Topic{pattern}));
    return fresh;
  }
};

}  // namespace

TEST_CASE_METHOD(Room, "three subscribers all get what is published; without any it is fine") {
  REQUIRE(system.publish("news.sport", Number{0}).value() == 0);
  const std::vector<Ref<Listener>> all{listener("news.sport"), listener("news.sport"), listener("news.sport")};
  REQUIRE(system.publish("news.sport", Number{1}).value() == 3);
  for (const auto& each : all) REQUIRE(seen(system, each) == Numbers{1});
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE_METHOD(Room, "patterns: a star is one segment, a hash any number") {
  const auto exact = listener("a.b.c"), star = listener("a.*.c"), hash = listener("a.#"), all = listener("#");
  REQUIRE(system.publish("a.b.c", Number{1}).value() == 4);
  REQUIRE(system.publish("a.x.c", Number{2}).value() == 3);
  REQUIRE(system.publish("a.b", Number{3}).value() == 2);
  REQUIRE(system.publish("a", Number{4}).value() == 2);
  REQUIRE(system.publish("z", Number{5}).value() == 1);
  REQUIRE(seen(system, exact) == Numbers{1});
  REQUIRE(seen(system, star) == Numbers{1, 2});
  REQUIRE(seen(system, hash) == Numbers{1, 2, 3, 4});
  REQUIRE(seen(system, all) == Numbers{1, 2, 3, 4, 5});
}

TEST_CASE_METHOD(Room, "who subscribes twice, or by two patterns, gets one copy") {
  const auto twice = listener("a.b");
  REQUIRE(answer_of(system, twice, Topic{"a.b"}));
  REQUIRE(answer_of(system, twice, Topic{"a.*"}));
  REQUIRE(system.publish("a.b", Number{1}).value() == 1);
  REQUIRE(answer_of(system, twice, Topic{"a.b", false}));
  REQUIRE(system.publish("a.b", Number{2}).value() == 1);
  REQUIRE(answer_of(system, twice, Topic{"a.*", false}));
  REQUIRE(system.publish("a.b", Number{3}).value() == 0);
  REQUIRE(seen(system, twice) == Numbers{1, 2});
}

TEST_CASE_METHOD(Room, "a subscriber that stops is removed") {
  const auto goes = listener("a"), stays = listener("#");
  system.stop(goes);
  system.run_until_idle();
  REQUIRE(system.publish("a", Number{1}).value() == 1);
  REQUIRE(seen(system, stays) == Numbers{1});
  REQUIRE(system.dead_letters().empty());
}

TEST_CASE_METHOD(Room, "a slow subscriber falls under its own policy and slows nobody") {
  const auto slow = listener("a", mailbox_of(2, Overflow::drop_newest));
  const auto latest = listener("a", mailbox_of(2, Overflow::drop_oldest));
  const auto fast = listener("a");
  for (int i = 1; i <= 5; ++i) REQUIRE(system.publish("a", Number{i}).value() == (i <= 2 ? 3 : 2));
  REQUIRE(seen(system, slow) == Numbers{1, 2});
  REQUIRE(seen(system, latest) == Numbers{4, 5});
  REQUIRE(seen(system, fast) == Numbers{1, 2, 3, 4, 5});
}

TEST_CASE_METHOD(Room, "a handler publishes in its own name; who does not handle it lets it fall") {
  const auto keeper = listener("a");
  const auto actor = system.spawn<Actor>().value();
  REQUIRE(system.send(actor, Act{[](Context& context) {
                        if (context.publish("a", Number{1}).value() != 1) throw Unexpected("nobody there");
                        if (context.publish("a", std::string("what")).value() != 1) throw Unexpected("nobody there");
                      }}));
  system.run_until_idle();
  REQUIRE(system.totals().failures == 0);
  REQUIRE(seen(system, keeper) == Numbers{1});
  REQUIRE(system.dead_letters().size() == 1);
  REQUIRE(system.dead_letters()[0].reason == Drop::unhandled);
  REQUIRE(system.dead_letters()[0].sender == actor.id());
}

TEST_CASE_METHOD(Room, "bad topics and patterns are refused") {
  REQUIRE(system.publish("a.*", Number{1}).error().is(codes::bad_topic));
  REQUIRE(system.publish("", Number{1}).error().is(codes::bad_topic));
  const auto actor = system.spawn<Listener>().value();
  REQUIRE(answer_of(system, actor, Topic{"a..b"}).error().is(codes::bad_topic));
}
