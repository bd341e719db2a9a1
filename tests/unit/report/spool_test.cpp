// The spool file: what opening it makes of whatever is found at its path. How it is used is in reporter_test.cpp.
#include "weft/report/spool.hpp"

#include <memory>

#include "tests/support/catch.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::report;

TEST_CASE(
    "whatever is in the place of the spool file, opening it ends, and a damaged spool is kept aside and counted") {
  for (const auto damage : test::kEveryDamage) {
    test::TempDir dir;
    const std::string file = dir / "spool/echo@alpha.events";
    {
      Spool spool(file, 1 << 20);
      REQUIRE(spool.open());
      for (const auto& event : test::numbered_events(1, 20)) REQUIRE(spool.append(event, false));
    }
    if (damage == test::Damage::newer) test::flip_bit(file, 7);  // WFSPOOL0
    test::inflict(damage, file, 0);
    INFO(test::name_of(damage));
    std::unique_ptr<test::NoPermission> denied;
    if (damage == test::Damage::no_permission) denied = std::make_unique<test::NoPermission>(file);
    Spool spool(file, 1 << 20);
    const auto opened = spool.open();
    const auto lost = spool.take_damaged();
    denied.reset();
    std::size_t aside = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir / "spool"))
      aside += entry.path().string().find(".damaged-") != std::string::npos ? 1U : 0U;
    switch (damage) {
      case test::Damage::empty:
      case test::Damage::header:
      case test::Damage::newer:
        CHECK(opened);
        CHECK(lost == 1);
        CHECK(aside == 1);
        break;
      case test::Damage::half:
      case test::Damage::middle:
        CHECK(opened);
        CHECK(lost == 1);
        CHECK(spool.unread() >= 9);
        break;
      case test::Damage::directory:
      case test::Damage::fifo:
      case test::Damage::no_permission:
      case test::Damage::link_loop:
        REQUIRE_FALSE(opened);
        CHECK(opened.error().message.find(file) == 0);
        break;
    }
  }
}
