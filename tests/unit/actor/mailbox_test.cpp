// Mailboxes: what happens at the limit, and what they count.
#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

constexpr std::array kPolicies{Overflow::by_priority, Overflow::block,       Overflow::fail,
                               Overflow::drop_newest, Overflow::drop_oldest, Overflow::redirect};

}  // namespace

TEST_CASE("a mailbox of two refuses the third message, and the refusal names the two") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(2, Overflow::fail)).value();
  REQUIRE(system.send(keeper, Number{1}));
  REQUIRE(system.send(keeper, Number{2}));
  const auto third = system.send(keeper, Number{3});
  REQUIRE(third.error().is(codes::mailbox_full));
  REQUIRE(third.error().kind == ErrorKind::overloaded);
  REQUIRE_THAT(third.error().message, Catch::Matchers::Contains("capacity 2"));
  REQUIRE(depth(system, keeper) == 2);
  REQUIRE(seen(system, keeper) == Numbers{1, 2});
}

TEST_CASE("drop newest: the sender is told, what waits stays, and the counts say so") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(1, Overflow::drop_newest)).value();
  REQUIRE(system.send(keeper, Number{1}));
  REQUIRE(system.send(keeper, Number{2}).error().is(codes::message_dropped));
  REQUIRE(dropped(system, keeper, Drop::overflow) == 1);
  REQUIRE(dropped(system, Drop::overflow) == 1);
  REQUIRE(depth(system, keeper) == 1);
  REQUIRE(system.dead_letters().empty());
  REQUIRE(seen(system, keeper) == Numbers{1});
}

TEST_CASE("drop oldest: the newest stay, in order, and the depth never passes the capacity") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(3, Overflow::drop_oldest)).value();
  for (int i = 1; i <= 10; ++i) {
    REQUIRE(system.send(keeper, Number{i}));
    REQUIRE(depth(system, keeper) == static_cast<std::uint32_t>(std::min(i, 3)));
  }
  REQUIRE(dropped(system, keeper, Drop::overflow) == 7);
  system.run_until_idle();
  REQUIRE(seen(system, keeper) == Numbers{8, 9, 10});
  REQUIRE(depth(system, keeper) == 0);
}

TEST_CASE("drop oldest keeps its limit while the actor is in the middle of its mail") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(2, Overflow::drop_oldest)).value();
  for (int i = 1; i <= 3; ++i) REQUIRE(system.send(keeper, Number{i}));
  system.expect<Number>(keeper, [](const Number& number) { return number.value == 2; });
  for (int i = 4; i <= 5; ++i) REQUIRE(system.send(keeper, Number{i}));
  REQUIRE(depth(system, keeper) == 2);
  system.run_until_idle();
  REQUIRE(seen(system, keeper) == Numbers{2, 4, 5});
}

TEST_CASE("redirect: what finds no room goes to somebody else") {
  TestSystem system;
  const auto second = system.spawn<Keeper>(mailbox_of(1, Overflow::fail)).value();
  auto options = mailbox_of(1, Overflow::redirect);
  options.mailbox.redirect_to = second;
  const auto first = system.spawn<Keeper>(options).value();
  REQUIRE(system.send(first, Number{1}));
  REQUIRE(system.send(first, Number{2}));
  REQUIRE(system.send(first, Number{3}).error().is(codes::mailbox_full));
  system.run_until_idle();
  REQUIRE(seen(system, first) == Numbers{1});
  REQUIRE(seen(system, second) == Numbers{2});
}

TEST_CASE("mailboxes that redirect to each other refuse when both are full") {
  TestSystem system;
  auto options = mailbox_of(1, Overflow::redirect);
  options.mailbox.redirect_to = system.spawn<Keeper>(mailbox_of(1, Overflow::redirect)).value_or(Ref<Keeper>());
  REQUIRE_FALSE(options.mailbox.redirect_to);  // whom to redirect to must be said
  const auto last = system.spawn<Keeper>().value();
  options.mailbox.redirect_to = last;
  const auto first = system.spawn<Keeper>(options).value();
  system.stop(last);
  system.run_until_idle();
  REQUIRE(system.send(first, Number{1}));
  REQUIRE(system.send(first, Number{2}).error().is(codes::actor_closed));
}

TEST_CASE("by priority: critical and high wait, normal fails, low is dropped") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(1, Overflow::by_priority)).value();
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(keeper, Number{0}));
  REQUIRE(system.send(keeper, Number{1}).error().is(codes::mailbox_full));
  REQUIRE(system.send(keeper, Number{2}, {Priority::low}).error().is(codes::message_dropped));
  const auto priority = GENERATE(Priority::high, Priority::critical);
  REQUIRE(system.send(keeper, Number{3}, {priority}).error().is(codes::mailbox_full));  // send() cannot wait
  REQUIRE(system.send(player, Play{[keeper, priority](Context& context) -> Task<void> {
                        SendOptions options;
                        options.priority = priority;
                        auto delivery = context.deliver(keeper, Number{4}, {}, options);
                        auto delivered = co_await delivery;
                        if (!delivered) throw Unexpected(delivered.error().message);
                      }}));
  system.run_until_idle();
  REQUIRE(seen(system, keeper) == Numbers{0, 4});
  REQUIRE(system.totals().failures == 0);
}

TEST_CASE("whatever the policy, an actor that has stopped answers that it is closed") {
  TestSystem system;
  const auto other = system.spawn<Keeper>().value();
  for (const Overflow policy : kPolicies) {
    CAPTURE(static_cast<int>(policy));
    auto options = mailbox_of(1, policy);
    options.mailbox.redirect_to = other;
    const auto keeper = system.spawn<Keeper>(options).value();
    system.stop(keeper);
    system.run_until_idle();
    REQUIRE(system.send(keeper, Number{1}).error().is(codes::actor_closed));
    REQUIRE(system.send_wait(keeper, Number{1}).error().is(codes::actor_closed));
    REQUIRE(system.send(keeper, Number{1}).error().kind == ErrorKind::not_found);
  }
  REQUIRE(seen(system, other).empty());
}

TEST_CASE("an unbounded mailbox takes a hundred thousand, in order") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>(mailbox_of(0, Overflow::fail)).value();
  constexpr int kMany = 100'000;
  for (int i = 0; i < kMany; ++i) (void)system.send(keeper, Number{i});
  REQUIRE(depth(system, keeper) == kMany);
  REQUIRE(system.totals().depth == kMany);
  const auto all = seen(system, keeper);
  REQUIRE(all.size() == kMany);
  REQUIRE(std::is_sorted(all.begin(), all.end()));
  REQUIRE(system.totals().depth == 0);
}

TEST_CASE("a mailbox holds a thousand unless told otherwise") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>().value();
  for (int i = 0; i < 1000; ++i) REQUIRE(system.send(keeper, Number{i}));
  REQUIRE(system.send(keeper, Number{1000}).error().is(codes::mailbox_full));
}

TEST_CASE("a million messages to an actor that takes none: each policy keeps its word") {
  const auto policy = GENERATE(Overflow::by_priority, Overflow::block, Overflow::fail, Overflow::drop_newest,
                               Overflow::drop_oldest, Overflow::redirect);
  CAPTURE(static_cast<int>(policy));
  SystemOptions options;
  options.dead_letters_max = 10;
  TestSystem system(0, options);
  const auto other = system.spawn<Keeper>(mailbox_of(5, Overflow::fail)).value();
  auto mailbox = mailbox_of(10, policy);
  mailbox.mailbox.redirect_to = other;
  const auto keeper = system.spawn<Keeper>(mailbox).value();
  constexpr int kMany = 1'000'000 / 6;  // a million over the policies
  int taken = 0;
  for (int i = 0; i < kMany; ++i) taken += system.send(keeper, Number{i}) ? 1 : 0;
  REQUIRE(depth(system, keeper) == 10);
  REQUIRE(taken == (policy == Overflow::drop_oldest ? kMany : policy == Overflow::redirect ? 15 : 10));
  const auto lost = static_cast<std::uint64_t>(kMany) - (policy == Overflow::redirect ? 15 : 10);
  REQUIRE(dropped(system, Drop::overflow) == lost);
  system.run_until_idle();
  const auto kept = seen(system, keeper);
  REQUIRE(kept.size() == 10);
  REQUIRE(kept.front() == (policy == Overflow::drop_oldest ? kMany - 10 : 0));
}

TEST_CASE("a mailbox counts what was sent to it, what it received and what waits") {
  TestSystem system;
  const auto keeper = system.spawn<Keeper>().value();
  const auto actor = system.spawn<Actor>().value();
  REQUIRE(system.send(actor, Act{[keeper](Context& context) {
                        for (int i = 0; i < 3; ++i) (void)context.send(keeper, Number{i});
                      }}));
  REQUIRE(system.step());
  REQUIRE(system.info(actor)->received == 1);
  REQUIRE(system.info(keeper)->sent == 3);
  REQUIRE(system.info(keeper)->received == 0);
  REQUIRE(depth(system, keeper) == 3);
  REQUIRE(system.totals().depth == 3);
  system.run_until_idle();
  REQUIRE(system.info(keeper)->received == 3);
  const auto totals = system.totals();
  REQUIRE(totals.sent == 4);
  REQUIRE(totals.handled == 4);
  REQUIRE(totals.depth == 0);
}

TEST_CASE("the age of the oldest message grows while it waits, and is nothing afterwards") {
  TestSystem system;
  const auto player = system.spawn<Player>().value();
  REQUIRE(system.send(player, Play{[](Context& context) -> Task<void> { co_await context.sleep(10s); }}));
  system.advance(1s);
  REQUIRE(system.send(player, Number{1}));
  system.advance(5s);
  REQUIRE(system.info(player)->oldest >= 5s);
  system.advance(10s);
  REQUIRE(seen(system, player) == Numbers{1});
  REQUIRE(system.info(player)->oldest == 0s);
}

TEST_CASE("options of a mailbox that make no sense are refused by the name of the field") {
  MailboxOptions mailbox;
  mailbox.overflow = Overflow::redirect;
  REQUIRE_THAT(check(mailbox).error().message, Catch::Matchers::Contains("mailbox.redirect_to"));
  mailbox = {};
  mailbox.capacity = UINT32_MAX;
  REQUIRE_THAT(check(mailbox).error().message, Catch::Matchers::Contains("mailbox.capacity"));
  TestSystem system;
  REQUIRE(system.spawn<Keeper>(mailbox_of(1, Overflow::redirect)).error().is(codes::bad_value));
  REQUIRE(system.spawn<Keeper>(mailbox_of(UINT32_MAX, Overflow::fail)).error().is(codes::bad_value));
}
