#include "tests/support/catch.hpp"
#include "weft/mesh/mesh.hpp"

using namespace weft;
using namespace weft::mesh;

namespace {

struct Fixture {
  Random random{1};
  Ulid term = Ulid::make(wall_from_us(1), random);
  Directory directory;
  std::vector<std::string> seen;

  Fixture() {
    directory.watch([this](const InstanceRecord& record, const Removal* removed) {
      seen.push_back((removed ? "-" : "+") + record.agent);
    });
  }
  InstanceRecord record(const std::string& agent, std::uint64_t epoch = 1) {
    InstanceRecord out;
    out.agent = agent;
    out.epoch = epoch;
    out.instance = Ulid::make(wall_from_us(2), random);
    return out;
  }
  Snapshot snapshot(std::vector<InstanceRecord> records, std::uint64_t sequence) const {
    Snapshot out;
    out.term = term;
    out.sequence = sequence;
    out.records = std::move(records);
    return out;
  }
  Changes upsert(const InstanceRecord& record, std::uint64_t sequence) const { return {term, sequence, {record}, {}}; }
  Changes removal(const InstanceRecord& record, std::uint64_t epoch, std::uint64_t sequence) const {
    return {term, sequence, {}, {{record.instance, epoch, record.agent, "", "gone"}}};
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a snapshot and the changes after it make a true copy") {
  const auto a = record("a"), b = record("b");
  CHECK_FALSE(directory.filled());
  directory.replace(snapshot({a}, 5));
  CHECK(directory.filled());
  CHECK(directory.apply(upsert(b, 6)));
  CHECK(directory.apply(removal(a, 1, 7)));
  CHECK(directory.instances("a").empty());
  REQUIRE(directory.instances("b").size() == 1);
  CHECK(*directory.find(b.instance) == b);
  CHECK(directory.follows(term, 7));
  CHECK(seen == std::vector<std::string>{"+a", "+b", "-a"});
}

TEST_CASE_METHOD(Fixture, "a gap and another term are noticed, old changes are passed over") {
  const auto a = record("a");
  directory.replace(snapshot({a}, 5));
  CHECK_FALSE(directory.apply(upsert(record("b"), 7)));
  CHECK(directory.apply(removal(a, 1, 5)));
  CHECK(directory.instances("a").size() == 1);
  term = Ulid::make(wall_from_us(9), random);
  CHECK_FALSE(directory.apply(upsert(record("b"), 6)));
  CHECK(directory.instances("b").empty());
}

TEST_CASE_METHOD(Fixture, "a removal of an older epoch leaves the newer registration") {
  auto a = record("a", 3);
  directory.replace(snapshot({a}, 1));
  CHECK(directory.apply(removal(a, 2, 2)));
  CHECK(directory.instances("a").size() == 1);
  a.epoch = 2;
  CHECK(directory.apply(upsert(a, 3)));
  CHECK(directory.find(a.instance)->epoch == 3);
}

TEST_CASE_METHOD(Fixture, "a snapshot removes what it lacks, unless it is told to keep it") {
  const auto a = record("a"), b = record("b");
  directory.replace(snapshot({a, b}, 1));
  directory.replace(snapshot({a}, 2), true);
  CHECK(directory.all().size() == 2);
  directory.replace(snapshot({a}, 2));
  CHECK(directory.all().size() == 1);
  CHECK(directory.agent_names() == std::vector<std::string_view>{"a"});
}
