// A copy of another registry's records: snapshot, deltas in sequence, resync.
#include "registry/replica.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::Replica;

namespace {

InstanceRecord of_beta(std::uint64_t number, std::uint64_t epoch = 1) {
  auto record = record_of(number, "agent" + std::to_string(number), "beta");
  record.registry = "beta";
  record.epoch = epoch;
  return record;
}
wire::Snapshot snapshot_of(std::uint64_t term, std::uint64_t sequence, std::vector<InstanceRecord> records) {
  return {"demo", "beta", id_of(term), sequence, "", "", std::move(records)};
}
wire::Changes changes_of(std::uint64_t term, std::uint64_t sequence, std::vector<InstanceRecord> upserts,
                         std::vector<registry::Removal> removals = {}) {
  return {id_of(term), sequence, std::move(upserts), std::move(removals)};
}

struct Fixture {
  Replica replica{{"demo", "beta", 5}};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "nothing follows before the first snapshot") {
  CHECK_FALSE(replica.apply(changes_of(1, 1, {of_beta(1)})));
  CHECK(replica.term().is_nil());
}

TEST_CASE_METHOD(Fixture, "a snapshot tells what is new, what changed and what is gone") {
  CHECK(replica.replace(snapshot_of(1, 4, {of_beta(1), of_beta(2), of_beta(3)})).upserts.size() == 3);
  auto changed = of_beta(2);
  changed.health = wire::HealthState::critical;
  const auto delta = replica.replace(snapshot_of(1, 9, {of_beta(1), changed}));
  REQUIRE(delta.upserts.size() == 1);
  CHECK(delta.upserts[0] == changed);
  REQUIRE(delta.removals.size() == 1);
  CHECK(delta.removals[0].instance == id_of(3));
  CHECK(replica.sequence() == 9);
}

TEST_CASE_METHOD(Fixture,
                 "the next delta is applied, one held already changes nothing, a gap or another term asks anew") {
  (void)replica.replace(snapshot_of(1, 4, {of_beta(1)}));
  CHECK(replica.apply(changes_of(1, 4, {of_beta(9)}))->empty());
  CHECK(replica.apply(changes_of(1, 5, {of_beta(2)}))->upserts.size() == 1);
  CHECK_FALSE(replica.apply(changes_of(1, 7, {of_beta(3)})));
  CHECK_FALSE(replica.apply(changes_of(2, 6, {of_beta(3)})));
  CHECK(replica.apply(changes_of(1, 6, {of_beta(3)})));
  CHECK(replica.records().size() == 3);
}

TEST_CASE("a record whose epoch no registry can have given is left out and counted") {
  Replica replica{{"demo", "beta", 5, [](std::uint64_t epoch) { return epoch < 100; }}};
  CHECK(replica.replace(snapshot_of(1, 1, {of_beta(1, 99), of_beta(2, 100)})).upserts.size() == 1);
  CHECK(replica.refused() == 1);
}

TEST_CASE_METHOD(Fixture, "a removal takes its epoch and older ones only") {
  (void)replica.replace(snapshot_of(1, 0, {of_beta(1, 5)}));
  CHECK(replica.apply(changes_of(1, 1, {}, {{id_of(1), 4, "", "", "late"}}))->removals.empty());
  CHECK(replica.records().size() == 1);
  const auto delta = replica.apply(changes_of(1, 2, {}, {{id_of(1), 5, "", "", "gone"}}));
  REQUIRE(delta->removals.size() == 1);
  CHECK(delta->removals[0].agent == "agent1");
  CHECK(replica.records().empty());
}

TEST_CASE_METHOD(Fixture, "a removal and a new record of one instance in one delta leave the new one") {
  (void)replica.replace(snapshot_of(1, 0, {of_beta(1, 5)}));
  REQUIRE(replica.apply(changes_of(1, 1, {of_beta(1, 6)}, {{id_of(1), 5, "", "", "gone"}})));
  CHECK(replica.records().at(id_of(1)).epoch == 6);
}

TEST_CASE_METHOD(Fixture, "records that name another writer, break a limit or are too many are skipped and counted") {
  auto foreign = of_beta(1), broken = of_beta(2);
  foreign.registry = "gamma";
  broken.agent = "no spaces";
  std::vector<InstanceRecord> records{foreign, broken};
  for (std::uint64_t n = 3; n < 9; ++n) records.push_back(of_beta(n));
  CHECK(replica.replace(snapshot_of(1, 1, records)).upserts.size() == 5);
  CHECK(replica.refused() == 3);
}

TEST_CASE_METHOD(Fixture, "stored records are unconfirmed until a snapshot says so") {
  replica.restore(of_beta(1));
  CHECK_FALSE(replica.records().at(id_of(1)).confirmed);
  const auto delta = replica.replace(snapshot_of(1, 1, {of_beta(1)}));
  REQUIRE(delta.upserts.size() == 1);
  CHECK(delta.upserts[0].confirmed);
}

TEST_CASE_METHOD(Fixture, "when it is cleared every record is removed, and nothing follows any more") {
  (void)replica.replace(snapshot_of(1, 4, {of_beta(1), of_beta(2)}));
  const auto delta = replica.clear("registry of beta unreachable");
  REQUIRE(delta.removals.size() == 2);
  CHECK(delta.removals[1].reason == "registry of beta unreachable");
  CHECK_FALSE(replica.apply(changes_of(1, 5, {})));
  CHECK(replica.clear("again").empty());
}
