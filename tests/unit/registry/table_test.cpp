// Leases, epochs, slots and limits of the table.
#include "registry/table.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::Table;

namespace {

struct Fixture {
  ManualClock clock;
  Table table{clock, table_options()};

  InstanceRecord enter(const InstanceRecord& record) { return *table.enter(record).value(); }
  std::string refusal(const InstanceRecord& record, const InstanceRecord* rival = nullptr) {
    const auto entered = table.enter(record, rival);
    return entered ? std::string() : entered.error().code;
  }
  std::string renewal(const InstanceRecord& record) {
    const auto renewed = table.renew(renewal_of(record));
    return renewed ? std::string() : renewed.error().code;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an instance is found until its lease ends, and not after") {
  const auto echo = enter(record_of(1));
  clock.advance(3s - 1ns);
  CHECK(table.expire() == 0);
  REQUIRE(table.find(echo.instance) != nullptr);
  clock.advance(1ns);
  CHECK(table.expire() == 1);
  CHECK(table.find(echo.instance) == nullptr);
  CHECK(table.holder("echo@alpha") == nullptr);
  CHECK(renewal(echo) == codes::unknown_instance.id);
}

TEST_CASE_METHOD(Fixture, "each renewal gives a whole lease more") {
  const auto echo = enter(record_of(1));
  for (int i = 0; i < 10; ++i) {
    clock.advance(2s);
    CHECK(table.expire() == 0);
    CHECK(renewal(echo).empty());
    CHECK(*table.next_expiry() == clock.now() + 3s);
  }
}

TEST_CASE_METHOD(Fixture, "an empty table never has an expiry") { CHECK_FALSE(table.next_expiry()); }

TEST_CASE_METHOD(Fixture, "only the leases that ended are removed, in one go") {
  for (std::uint64_t n = 1; n <= 3; ++n) {
    (void)enter(record_of(n, "agent" + std::to_string(n)));
    clock.advance(1s);
  }
  clock.advance(1s);
  (void)table.take();
  CHECK(table.expire() == 2);
  const auto delta = table.take();
  REQUIRE(delta.removals.size() == 2);
  CHECK(delta.removals[0].reason == "lease expired");
  CHECK(delta.upserts.empty());
  CHECK(table.size() == 1);
}

TEST_CASE_METHOD(Fixture, "the epoch grows with each registration and is about the time of day") {
  const auto first = enter(record_of(1)), second = enter(record_of(1)), other = enter(record_of(2, "digest"));
  CHECK(first.epoch == 1'700'000'000);
  CHECK(second.epoch == first.epoch + 1);
  CHECK(other.epoch == second.epoch + 1);
  CHECK(renewal(first) == codes::unknown_instance.id);
  CHECK(renewal(second).empty());
}

TEST_CASE("epochs never go back: not by a stored one, a foreign one or a clock that goes wrong") {
  registry::Epochs epochs;
  CHECK(epochs.next(wall_from_us(-5)) == 1);
  CHECK(epochs.next(wall_from_us(100'000'000)) == 100);
  CHECK(epochs.next(wall_from_us(0)) == 101);
  epochs.observe(50, wall_from_us(0));
  CHECK(epochs.next(wall_from_us(0)) == 102);
  epochs.observe(1000, wall_from_us(0));
  CHECK(epochs.next(wall_from_us(0)) == 1001);
  epochs.observe(registry::kEpochMax, wall_from_us(0));  // no registry gives this one
  CHECK(epochs.next(wall_from_us(0)) == 1002);
}

TEST_CASE("an epoch that no registry can have given is not believed, and none that is believed uses up the rest") {
  const WallTime today = wall_from_us(1'800'000'000'000'000);
  registry::Epochs epochs;
  CHECK(epochs.next(today) == 1'800'000'000);
  for (const std::uint64_t forged : {0xffff'fffeULL, 0xffff'ffffULL, 1ULL << 40U, ~0ULL}) {
    CHECK_FALSE(epochs.plausible(forged, today));
    epochs.observe(forged, today);
    CHECK(epochs.last() == 1'800'000'000);
  }
  for (int i = 0; i < 100; ++i) {
    std::uint64_t highest = 0;
    for (unsigned bit = 40; bit-- > 0;) {
      if (epochs.plausible(highest | 1ULL << bit, today)) highest |= 1ULL << bit;
    }
    epochs.observe(highest, today);
  }
  CHECK(epochs.next(today) < 2'900'000'000);
  epochs.restore(1ULL << 32U);  // by a former version
  CHECK(epochs.next(today) < 2'900'000'000);
}

TEST_CASE("a board whose clock starts in 1970 believes the epochs of hosts that know the time") {
  registry::Epochs epochs;
  epochs.observe(1'800'000'000, wall_from_us(5'000'000));
  CHECK(epochs.next(wall_from_us(6'000'000)) == 1'800'000'001);
}

TEST_CASE_METHOD(Fixture, "a registration with an implausible epoch or claim is refused and changes nothing") {
  (void)enter(record_of(1));
  auto forged = record_of(2, "digest");
  forged.epoch = 0xffff'fffe;
  CHECK(refusal(forged) == codes::bad_value.id);
  forged.epoch = 0;
  forged.claim = 1ULL << 62U;
  CHECK(refusal(forged) == codes::bad_value.id);
  CHECK(table.size() == 1);
  CHECK(enter(record_of(3, "sysmon")).epoch == 1'700'000'001);
}

TEST_CASE_METHOD(Fixture, "a start in the future is taken as now and counted, so the next instance still wins") {
  auto forged = record_of(1);
  forged.started_us = std::int64_t{1} << 62U;
  const auto entered = enter(forged);
  CHECK(entered.started_us == to_us(clock.wall()));
  CHECK(table.starts_cut() == 1);
  clock.advance(1s);
  CHECK(enter(forged).started_us == entered.started_us);
  auto next = record_of(2);
  next.started_us = to_us(clock.wall());
  CHECK(refusal(next).empty());
  CHECK(renewal(entered) == codes::fenced.id);
}

TEST_CASE_METHOD(Fixture, "the later claim of the host's node has the slot, whatever the clock said at the start") {
  auto before = record_of(100), after = record_of(50), by_hand = record_of(200);
  before.claim = 7;
  after.claim = 8;
  before = enter(before);
  CHECK(refusal(by_hand) == codes::fenced.id);
  after = enter(after);
  CHECK(renewal(before) == codes::fenced.id);
  CHECK(renewal(after).empty());
  before.instance = id_of(300);
  CHECK(refusal(before) == codes::fenced.id);
  auto elsewhere = after;
  elsewhere.registry = "beta";
  elsewhere.instance = id_of(60);
  elsewhere.claim = 7;
  table.yield_to(elsewhere);
  CHECK(renewal(after).empty());
  elsewhere.claim = 9;
  table.yield_to(elsewhere);
  CHECK(renewal(after) == codes::fenced.id);
}

TEST_CASE_METHOD(Fixture, "a newer instance in a slot removes the older at once") {
  const auto old = enter(record_of(1));
  (void)table.take();
  const auto fresh = enter(record_of(2));
  CHECK(table.size() == 1);
  CHECK(table.holder("echo@alpha")->instance == fresh.instance);
  const auto delta = table.take();
  REQUIRE(delta.removals.size() == 1);
  CHECK(delta.removals[0].instance == old.instance);
  CHECK(delta.removals[0].epoch == old.epoch);
  CHECK(delta.removals[0].reason == "replaced");
  CHECK(renewal(old) == codes::fenced.id);
  CHECK(refusal(record_of(1)) == codes::fenced.id);
  CHECK(renewal(fresh).empty());
}

TEST_CASE_METHOD(Fixture, "of two that started together the later to register has the slot for good") {
  auto first = record_of(1), second = record_of(2);
  second.started_us = first.started_us;
  first = enter(first);
  second = enter(second);
  CHECK(renewal(first) == codes::fenced.id);
  CHECK(refusal(first) == codes::fenced.id);
  CHECK(renewal(second).empty());
}

TEST_CASE_METHOD(Fixture, "an older instance that comes late is refused, until the newer one is gone") {
  const auto fresh = enter(record_of(2));
  CHECK(refusal(record_of(1)) == codes::fenced.id);
  CHECK(renewal(fresh).empty());
  CHECK(table.leave({fresh.instance.to_string(), "", ""}));
  CHECK(refusal(record_of(1)).empty());
}

TEST_CASE_METHOD(Fixture, "a newer instance in the slot at another registry refuses the older") {
  auto rival = record_of(5);
  rival.registry = "beta";
  CHECK(refusal(record_of(4), &rival) == codes::fenced.id);
  CHECK(refusal(record_of(6), &rival).empty());
}

TEST_CASE_METHOD(Fixture, "instances without a slot do not fence each other") {
  auto first = record_of(1), second = record_of(2);
  first.slot.clear();
  second.slot.clear();
  first = enter(first);
  second = enter(second);
  CHECK(renewal(first).empty());
  CHECK(renewal(second).empty());
  CHECK_FALSE(table.leave({"", "", ""}));
}

TEST_CASE_METHOD(Fixture, "an instance leaves by its id, or its place is cleared by slot") {
  const auto first = enter(record_of(1)), second = enter(record_of(2, "digest"));
  (void)table.take();
  CHECK(table.leave({first.instance.to_string(), "", "exited with 1"}));
  CHECK(table.leave({"", "digest@alpha", ""}));
  CHECK_FALSE(table.leave({"", "digest@alpha", ""}));
  CHECK_FALSE(table.leave({"nonsense", "", ""}));
  CHECK_FALSE(table.leave({id_of(99).to_string(), "", ""}));
  const auto delta = table.take();
  REQUIRE(delta.removals.size() == 2);
  CHECK(delta.removals[0].reason == "exited with 1");
  CHECK(delta.removals[1].reason == "stopped");
  CHECK(table.size() == 0);
}

TEST_CASE_METHOD(Fixture, "one that left is unknown, and may come back under a higher epoch") {
  const auto first = enter(record_of(1));
  CHECK(table.leave({first.instance.to_string(), "", ""}));
  CHECK(renewal(first) == codes::unknown_instance.id);
  CHECK(enter(record_of(1)).epoch > first.epoch);
}

TEST_CASE_METHOD(Fixture, "a renewal is told further only when the health changed") {
  auto echo = enter(record_of(1));
  (void)table.take();
  CHECK(renewal(echo).empty());
  CHECK_FALSE(table.changed());
  echo.health = wire::HealthState::warning;
  echo.health_text = std::string(2000, 'x');
  CHECK(renewal(echo).empty());
  const auto delta = table.take();
  REQUIRE(delta.upserts.size() == 1);
  CHECK(delta.upserts[0].health == wire::HealthState::warning);
  CHECK(delta.upserts[0].health_text.size() == registry::kTextMax);
  CHECK(renewal(echo).empty());
  CHECK_FALSE(table.changed());
}

TEST_CASE_METHOD(Fixture,
                 "what an agent tells of its circuits is told further, held to its limits, and never costs a lease") {
  const auto echo = enter(record_of(1));
  (void)table.take();
  auto request = renewal_of(echo);
  request.circuits = {{"work.do", id_of(9), "open", 1}, {"no target", id_of(9), "open", 2}};
  CHECK(table.renew(request));
  const auto delta = table.take();
  REQUIRE(delta.upserts.size() == 1);
  CHECK(delta.upserts[0].circuits == std::vector<wire::CircuitNews>{{"work.do", id_of(9), "open", 1}});
  CHECK(table.renew(request));
  CHECK_FALSE(table.changed());
  CHECK(renewal(echo).empty());
  CHECK(table.take().upserts.at(0).circuits.empty());
  auto anew = record_of(1);
  anew.circuits.assign(1000, {"work.do", id_of(9), "open", 1});
  CHECK(enter(anew).circuits.size() == wire::kCircuitNewsMax);
}

TEST_CASE("a table that is full still renews, without the news") {
  ManualClock clock;
  auto options = table_options();
  options.bytes_max = registry::weight_of(record_of(1));
  Table table(clock, options);
  const auto entered = table.enter(record_of(1));
  REQUIRE(entered);
  auto request = renewal_of(**entered);
  request.circuits = {{"work.do", id_of(9), "open", 1}};
  CHECK(table.renew(request));
  CHECK(table.find(id_of(1))->circuits.empty());
}

TEST_CASE("the last place is given, one more is refused with limit and count, and room comes back") {
  ManualClock clock;
  auto options = table_options();
  options.instances_max = 2;
  Table table(clock, options);
  REQUIRE(table.enter(record_of(1, "one")));
  REQUIRE(table.enter(record_of(2, "two")));
  const auto refused = table.enter(record_of(3, "three"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::table_full));
  CHECK(refused.error().message == "the registry of alpha holds 2 instances, and registry.instances_max is 2");
  CHECK(table.enter(record_of(2, "two")));  // again
  CHECK(table.enter(record_of(4, "two")));  // replaces
  clock.advance(3s);
  table.expire();
  CHECK(table.enter(record_of(3, "three")));
}

TEST_CASE("records have a limit in bytes too") {
  ManualClock clock;
  auto options = table_options();
  options.bytes_max = 2 * registry::weight_of(record_of(1, "one"));
  Table table(clock, options);
  REQUIRE(table.enter(record_of(1, "one")));
  REQUIRE(table.enter(record_of(2, "two")));
  const auto refused = table.enter(record_of(3, "six"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::table_full));
  CHECK(table.leave({"", "one@alpha", ""}));
  CHECK(table.enter(record_of(3, "six")));
}

TEST_CASE_METHOD(Fixture, "a stored instance is there unconfirmed, and its renewal confirms it without a new epoch") {
  auto stored = record_of(1);
  stored.epoch = 1'900'000'000;
  table.restore(stored);
  REQUIRE(table.find(stored.instance) != nullptr);
  CHECK_FALSE(table.find(stored.instance)->confirmed);
  CHECK(table.unconfirmed() == 1);
  CHECK(renewal(stored).empty());
  CHECK(table.find(stored.instance)->confirmed);
  CHECK(table.find(stored.instance)->epoch == stored.epoch);
  CHECK(table.unconfirmed() == 0);
  CHECK(enter(record_of(2, "digest")).epoch > stored.epoch);
}

TEST_CASE_METHOD(Fixture, "a stored instance that is not renewed is gone after one lease") {
  table.restore(record_of(1));
  clock.advance(3s);
  CHECK(table.expire() == 1);
  CHECK(table.unconfirmed() == 0);
  CHECK(table.take().removals.at(0).reason == "not renewed since the registry restarted");
}

TEST_CASE_METHOD(Fixture, "stored records of another mesh, and a second one in a slot, are left out") {
  auto other = record_of(1);
  other.mesh = "other";
  table.restore(other);
  CHECK(table.size() == 0);
  table.restore(record_of(2));
  table.restore(record_of(3));
  table.restore(record_of(2));
  CHECK(table.size() == 1);
}

TEST_CASE_METHOD(Fixture, "an instance that moved to another registry, or was replaced there, is dropped here") {
  const auto moved = enter(record_of(1)), replaced = enter(record_of(2, "digest")),
             stays = enter(record_of(3, "probe"));
  (void)table.take();
  auto foreign = moved;
  foreign.registry = "beta";
  foreign.epoch = moved.epoch + 10;
  table.yield_to(foreign);
  auto newer = record_of(9, "digest");
  newer.registry = "beta";
  newer.epoch = 1;
  table.yield_to(newer);
  auto earlier = record_of(2, "probe");
  earlier.registry = "beta";
  earlier.epoch = moved.epoch + 20;
  table.yield_to(earlier);
  const auto delta = table.take();
  REQUIRE(delta.removals.size() == 2);
  CHECK(delta.removals[0].reason == "moved to the registry of beta");
  CHECK(delta.removals[1].reason == "replaced");
  CHECK(renewal(replaced) == codes::fenced.id);
  CHECK(renewal(stays).empty());
  CHECK(enter(record_of(20, "late")).epoch > moved.epoch + 20);
}

TEST_CASE_METHOD(Fixture, "after this process slept every lease begins anew") {
  (void)enter(record_of(1));
  clock.advance(10s);
  table.pardon();
  CHECK(table.expire() == 0);
  clock.advance(3s);
  CHECK(table.expire() == 1);
}

TEST_CASE("only so many replaced instances are remembered") {
  ManualClock clock;
  auto options = table_options();
  options.fenced_max = 2;
  Table table(clock, options);
  std::vector<InstanceRecord> all;
  for (std::uint64_t n = 1; n <= 4; ++n) all.push_back(*table.enter(record_of(n)).value());
  CHECK(table.renew(renewal_of(all[0])).error().is(codes::unknown_instance));
  CHECK(table.renew(renewal_of(all[1])).error().is(codes::fenced));
  CHECK(table.renew(renewal_of(all[2])).error().is(codes::fenced));
  CHECK(table.enter(record_of(1)).error().is(codes::fenced));  // it started earlier, remembered or not
}
