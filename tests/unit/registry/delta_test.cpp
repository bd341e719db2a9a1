// Deltas and the sequence numbers they are published with.
#include "registry/delta.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::Delta;
using registry::Feed;

TEST_CASE("an empty delta takes no sequence number") {
  Feed feed(id_of(1));
  CHECK(feed.number({}).empty());
  CHECK(feed.sequence() == 0);
}

TEST_CASE("each delta takes the next sequence number of the term") {
  Feed feed(id_of(7));
  for (std::uint64_t n = 1; n <= 3; ++n) {
    const auto parts = feed.number({{record_of(n)}, {}});
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].term == id_of(7));
    CHECK(parts[0].sequence == n);
    CHECK(parts[0].upserts.size() == 1);
  }
}

TEST_CASE("a large delta is published in parts, removals first, without gaps") {
  Feed feed(id_of(1));
  Delta delta;
  for (std::uint64_t n = 0; n < Feed::kPartMax + 10; ++n) delta.upserts.push_back(record_of(n + 1));
  for (std::uint64_t n = 0; n < Feed::kPartMax + 1; ++n) delta.removals.push_back({id_of(n), 1, "a", "h", "gone"});
  const auto parts = feed.number(delta);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].removals.size() == Feed::kPartMax);
  CHECK(parts[1].removals.size() == 1);
  CHECK(parts[1].upserts.size() == Feed::kPartMax - 1);
  CHECK(parts[2].upserts.size() == 11);
  CHECK(parts[2].sequence == 3);
}

TEST_CASE("only the latest change of an instance is told") {
  registry::Pending pending;
  const InstanceRecord record = record_of(1);
  pending.removed(registry::removal_of(record, "gone"));
  pending.changed(record.instance);
  pending.changed(id_of(2));
  pending.removed({id_of(2), 1, "echo", "alpha", "gone"});
  const Delta delta = pending.take([&](const Ulid& id) { return id == record.instance ? &record : nullptr; });
  REQUIRE(delta.upserts.size() == 1);
  REQUIRE(delta.removals.size() == 1);
  CHECK(delta.removals[0].instance == id_of(2));
  CHECK(pending.empty());
}
