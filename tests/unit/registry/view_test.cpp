// The merged view over the tables of several registries.
#include "registry/view.hpp"

#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::View;

namespace {

InstanceRecord claim(const std::string& registry, std::uint64_t number, std::uint64_t epoch) {
  auto record = record_of(number, "echo", "alpha");
  record.registry = registry;
  record.epoch = epoch;
  return record;
}

struct Fixture {
  View view;
  void put(const InstanceRecord& record) { view.apply(record.registry, {{record}, {}}); }
  void remove(const InstanceRecord& record) {
    view.apply(record.registry, {{}, {registry::removal_of(record, "gone")}});
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an empty view has nothing to tell") {
  CHECK(view.size() == 0);
  CHECK_FALSE(view.changed());
  CHECK(view.take().empty());
  CHECK(view.holder("echo@alpha") == nullptr);
  CHECK(view.holder("") == nullptr);
}

TEST_CASE_METHOD(Fixture, "records of all registries are seen") {
  put(claim("alpha", 1, 5));
  put(claim("beta", 2, 6));
  CHECK(view.size() == 2);
  CHECK(view.take().upserts.size() == 2);
}

TEST_CASE_METHOD(Fixture, "an instance that two registries claim is shown once, by its higher epoch") {
  put(claim("alpha", 1, 5));
  put(claim("beta", 1, 6));
  CHECK(view.size() == 1);
  CHECK(view.find(id_of(1))->registry == "beta");
  remove(claim("alpha", 1, 5));
  CHECK(view.find(id_of(1))->registry == "beta");
  (void)view.take();
  put(claim("alpha", 1, 5));
  remove(claim("beta", 1, 6));
  CHECK(view.find(id_of(1))->registry == "alpha");
  const auto delta = view.take();
  CHECK(delta.removals.empty());
  REQUIRE(delta.upserts.size() == 1);
  CHECK(delta.upserts[0].registry == "alpha");
}

TEST_CASE_METHOD(Fixture, "the last claim that goes removes the instance") {
  put(claim("alpha", 1, 5));
  (void)view.take();
  remove(claim("beta", 1, 5));
  CHECK_FALSE(view.changed());
  remove(claim("alpha", 1, 5));
  const auto delta = view.take();
  REQUIRE(delta.removals.size() == 1);
  CHECK(delta.removals[0].reason == "gone");
  CHECK(view.size() == 0);
}

TEST_CASE_METHOD(Fixture, "the holder of a slot is its newest instance, while it is there") {
  put(claim("alpha", 1, 9));
  put(claim("beta", 2, 5));
  CHECK(view.holder("echo@alpha")->instance == id_of(2));
  remove(claim("beta", 2, 5));
  CHECK(view.holder("echo@alpha")->instance == id_of(1));
  auto moved = claim("alpha", 1, 10);
  moved.slot = "other@alpha";
  put(moved);
  CHECK(view.holder("echo@alpha") == nullptr);
  CHECK(view.holder("other@alpha")->instance == id_of(1));
}

TEST_CASE_METHOD(Fixture, "the view is walked in order of instance") {
  for (const std::uint64_t n : {3U, 1U, 2U}) put(claim("alpha", n, n));
  std::vector<Ulid> order;
  view.each([&](const InstanceRecord& record) { order.push_back(record.instance); });
  CHECK(order == std::vector<Ulid>{id_of(1), id_of(2), id_of(3)});
}
