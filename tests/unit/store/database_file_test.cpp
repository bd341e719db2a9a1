// Opening a database file, whatever was found at its path: the key-value store's rows of the table in
// docs/guarantees.md.
#include "weft/store/database_file.hpp"

#include <sys/stat.h>

#include <memory>

#include "tests/support/catch.hpp"
#include "tests/support/damage.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::store;

namespace {

constexpr int kEntries = 500;
constexpr std::size_t kReserved = 20;  // byte of SQLite's header: bytes reserved at the end of each page

std::size_t count_aside(const test::TempDir& dir) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    const std::string name = entry.path().filename();
    count += name.find(".db.damaged-") != name.npos && !name.ends_with("-wal") ? 1U : 0U;
  }
  return count;
}

void fill(const std::string& file, Durability durability) {
  std::vector<Store::Change> items;
  for (int i = 1000; i < 1000 + kEntries; ++i) items.push_back({"i/" + std::to_string(i), std::string(120, 'v')});
  REQUIRE(open_sqlite(file, durability).value().store->apply(items));
}

/// What open_sqlite() makes of it: the entries that are left, or -1 for an error.
struct Outcome {
  int entries = -1;
  std::string notice, error;
};

Outcome open_and_count(const std::string& file, Durability durability) {
  auto opened = open_sqlite(file, durability);
  if (!opened) return {-1, "", opened.error().describe()};
  const auto entries = opened->store->list("");
  REQUIRE(entries);
  int whole = 0;
  for (const auto& entry : *entries) whole += entry.value == std::string(120, 'v') ? 1 : 0;
  CHECK(opened->store->apply({{"j/after", "works"}}));
  return {whole, opened->notice, ""};
}

Outcome open_damaged(test::Damage damage, const std::string& file, Durability durability) {
  fill(file, durability);
  if (damage == test::Damage::newer) Database(file).run("PRAGMA user_version=9");
  test::inflict(damage, file, kReserved);
  std::unique_ptr<test::NoPermission> denied;
  if (damage == test::Damage::no_permission) denied = std::make_unique<test::NoPermission>(file);
  return open_and_count(file, durability);
}

}  // namespace

TEST_CASE(
    "a damaged store is kept aside and reported, and what is whole continues; one that cannot be opened is left") {
  for (const auto durability : {Durability::os, Durability::fsync}) {
    for (const auto damage : test::kEveryDamage) {
      test::TempDir dir;
      const std::string file = dir / "state.db";
      const Outcome got = open_damaged(damage, file, durability);
      INFO(test::name_of(damage) << ": " << got.entries << " entries. " << got.notice << got.error);
      switch (damage) {
        case test::Damage::empty:
        case test::Damage::half:
          CHECK(got.entries < kEntries);
          CHECK((got.entries > 0) == (damage == test::Damage::half));
          CHECK(got.notice.find("it is kept as " + file + ".damaged-") != std::string::npos);
          CHECK(count_aside(dir) == 1);
          break;
        case test::Damage::header:
          CHECK(got.entries == kEntries);
          CHECK(got.notice.find("kept as ") != std::string::npos);
          break;
        case test::Damage::middle:
          CHECK(got.entries >= kEntries / 2 - 1);
          CHECK(got.notice.find("kept as ") != std::string::npos);
          break;
        case test::Damage::directory:
        case test::Damage::fifo:
        case test::Damage::no_permission:
        case test::Damage::newer:
        case test::Damage::link_loop:
          CHECK(got.entries == -1);
          CHECK(got.error.find("WEFT-3010 STORE_FAILED: store " + file) == 0);
          CHECK(count_aside(dir) == 0);
          break;
      }
    }
  }
}

TEST_CASE("a file of 0 bytes is never new: it is reported, and kept with the log beside it") {
  test::TempDir dir;
  const std::string file = dir / "state.db";
  auto running = open_sqlite(file, Durability::os).value();
  REQUIRE(running.store->apply({{"k", "v"}}));
  const std::string log = test::bytes_of(file + "-wal");
  REQUIRE(log.size() > 4096);
  test::TempDir after;
  after.write("state.db", "");
  after.write("state.db-wal", log);
  const auto opened = open_sqlite(after / "state.db", Durability::os).value();
  CHECK(opened.notice.find("it exists and is empty") != std::string::npos);
  CHECK(opened.notice.find("0 entries") != std::string::npos);
  const auto aside = opened.notice.substr(opened.notice.find("kept as ") + 8);
  CHECK(test::bytes_of(aside.substr(0, aside.find(',')) + "-wal") == log);
}

TEST_CASE("a new file is complete when it gets its name, and readable by its owner only") {
  test::TempDir dir;
  dir.write("state/state.db.new", "left by a process that was killed while it created the file");
  const std::string file = dir / "state/state.db";
  CHECK(open_sqlite(file, Durability::os).value().notice.empty());
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK(info.st_size > 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK_FALSE(std::filesystem::exists(file + ".new"));
}

TEST_CASE("a process killed between the two renames of a repair has lost nothing") {
  test::TempDir dir;
  const std::string file = dir / "state.db";
  fill(file, Durability::os);
  std::filesystem::rename(file, file + ".mending");
  dir.write("state.db-wal", "the log of the damaged file");
  const Outcome got = open_and_count(file, Durability::os);
  CHECK(got.entries == kEntries);
  CHECK(got.notice.find("interrupted repair") != std::string::npos);
}

TEST_CASE("the log of a file that was removed is not taken for the log of its successor") {
  test::TempDir dir;
  const std::string file = dir / "state.db";
  auto running = open_sqlite(file, Durability::os).value();
  REQUIRE(running.store->apply({{"k", "v"}}));
  const std::string log = test::bytes_of(file + "-wal");
  test::TempDir after;
  after.write("state.db-wal", log);
  const Outcome got = open_and_count(after / "state.db", Durability::os);
  CHECK(got.notice.find("was missing; its log is kept as ") != std::string::npos);
  CHECK(test::bytes_of(got.notice.substr(got.notice.find("kept as ") + 8)) == log);
}

TEST_CASE("two damages within a second are kept under two names") {
  test::TempDir dir;
  const std::string file = dir / "state.db";
  for (int i = 0; i < 2; ++i) {
    fill(file, Durability::os);
    std::filesystem::resize_file(file, 0);
    CHECK_FALSE(open_sqlite(file, Durability::os).value().notice.empty());
  }
  CHECK(count_aside(dir) == 2);
}

TEST_CASE("a file with the checksums of version 2 is read, and its damaged records are found") {
  test::TempDir dir;
  const std::string file = dir / "state.db";
  fill(file, Durability::os);
  Database(file).run("UPDATE entries SET crc = record_sum(key, value); PRAGMA user_version=2");
  CHECK(open_and_count(file, Durability::os).entries == kEntries);
  CHECK(open_and_count(file, Durability::os).notice.empty());
  Database(file).run("UPDATE entries SET crc = record_sum(key, value); PRAGMA user_version=2");
  Database(file).run("UPDATE entries SET crc = crc + 1 WHERE key = CAST('i/1007' AS BLOB)");
  const Outcome damaged = open_and_count(file, Durability::os);
  CHECK(damaged.entries == kEntries - 1);
  CHECK(damaged.notice.find("1 of its entries are not as written") != std::string::npos);
}

TEST_CASE("fifty flipped bits change no entry unnoticed") {
  test::TempDir dir;
  const std::string file = dir / "state.db";
  fill(file, Durability::os);
  for (std::size_t i = 0; i < 50; ++i)
    test::flip_bit(file, 4096 + i * 1543 % (std::filesystem::file_size(file) - 4096));
  const Outcome got = open_and_count(file, Durability::os);
  CHECK(got.entries >= 0);
  CHECK(got.entries < kEntries);
  CHECK(count_aside(dir) == 1);
}
