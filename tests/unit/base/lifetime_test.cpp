#include <functional>
#include <memory>
#include <optional>
#include "tests/support/catch.hpp"

#include "weft/base/function.hpp"
#include "weft/base/lifetime.hpp"

using namespace weft;

TEST_CASE("guarded work runs while its owner exists, and not after") {
  int runs = 0;
  std::function<void(int)> work;
  {
    const Lifetime lifetime;
    work = lifetime.guard([&runs](int by) { runs += by; });
    work(1);
    work(2);
    CHECK(runs == 3);
  }
  work(4);
  CHECK(runs == 3);
}

TEST_CASE("a watch says whether the owner exists") {
  auto lifetime = std::make_unique<Lifetime>();
  const auto watch = lifetime->watch();
  const auto copy = watch;
  CHECK(watch.alive());
  lifetime.reset();
  CHECK_FALSE(watch.alive());
  CHECK_FALSE(copy.alive());
}

TEST_CASE("guarded work may own what cannot be copied, and may destroy its owner") {
  auto lifetime = std::make_unique<Lifetime>();
  int runs = 0;
  Callback work = lifetime->guard([&, owned = std::make_unique<int>(5)] {
    lifetime.reset();
    runs += *owned;
  });
  work();
  work();
  CHECK(runs == 5);
}

TEST_CASE("arguments pass through guarded work without copies") {
  const Lifetime lifetime;
  std::unique_ptr<int> kept;
  const int* seen = nullptr;
  auto keep = lifetime.guard([&](std::unique_ptr<int> given) { kept = std::move(given); });
  auto see = lifetime.guard([&](const int& given) { seen = &given; });
  keep(std::make_unique<int>(1));
  REQUIRE(kept);
  see(*kept);
  CHECK(seen == kept.get());
}
