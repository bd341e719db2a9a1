#include "agents/logwatch/positions.hpp"

#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::logwatch;

TEST_CASE("positions are read as they were saved") {
  test::TempDir folder;
  const Positions positions{7, {{"/var/log/a", 1, 2, 3, true, 4, "00ff"}}};
  REQUIRE(save_positions(folder / "p.json", positions));
  const auto back = load_positions(folder / "p.json");
  REQUIRE(back);
  CHECK(back->saved_us == 7);
  CHECK(back->files == positions.files);
}

TEST_CASE("no file means no positions, a broken one is told by name") {
  test::TempDir folder;
  CHECK(load_positions(folder / "none.json")->files.empty());
  for (const auto* bad : {"", "{", "[]", R"({"files": 3})", R"({"files": [{"offset": -1}]})"}) {
    folder.write("p.json", bad);
    const auto loaded = load_positions(folder / "p.json");
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.find("p.json") != std::string::npos);
  }
}

TEST_CASE("one flipped bit anywhere in the file is noticed") {
  test::TempDir folder;
  const Positions positions{7, {{"/var/log/a", 1, 2, 3, true, 4, "00ff"}}};
  REQUIRE(save_positions(folder / "p.json", positions));
  std::ifstream in(folder / "p.json", std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    INFO("bit " << bit);
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    folder.write("p.json", bad);
    CHECK_FALSE(load_positions(folder / "p.json"));
  }
}

TEST_CASE("whatever is in the place of the positions, reading them ends, and they can be saved when it was moved") {
  for (const auto damage : test::kEveryDamage) {
    test::TempDir folder;
    const std::string file = folder / "p.json";
    REQUIRE(save_positions(file, {7, {{"/var/log/a", 1, 2, 3, true, 4, "00ff"}}}));
    if (damage == test::Damage::newer) folder.write("p.json", R"({"version": 2, "files": {"a": 1}})");
    test::inflict(damage, file, 0);
    INFO(test::name_of(damage));
    {
      std::unique_ptr<test::NoPermission> denied;
      if (damage == test::Damage::no_permission) denied = std::make_unique<test::NoPermission>(file);
      const auto loaded = load_positions(file);
      REQUIRE_FALSE(loaded);
      CHECK(loaded.error().message.find(file) == 0);
    }
    std::filesystem::rename(file, folder / "aside");
    CHECK(save_positions(file, {8, {}}));
  }
}

TEST_CASE("positions that were saved without a sum are read") {
  test::TempDir folder;
  folder.write("p.json", R"({"saved_us": 3, "files": []})");
  CHECK(load_positions(folder / "p.json")->saved_us == 3);
}

TEST_CASE("a folder that is away is an error, and the old file stays") {
  test::TempDir folder;
  CHECK(save_positions(folder / "none/p.json", {}).error().is(codes::io_failed));
  REQUIRE(save_positions(folder / "p.json", {1, {}}));
  std::filesystem::create_directory(folder / "p.json.new");
  CHECK_FALSE(save_positions(folder / "p.json", {2, {}}));
  CHECK(load_positions(folder / "p.json")->saved_us == 1);
}
