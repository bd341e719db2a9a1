// The SQLite backend: contract, restart, damage, a full disk, a second process.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/unit/store/contract.hpp"

using namespace weft;
using store::Durability;
using store::open_sqlite;

namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-store-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return path + "/deep/er/test.db"; }
  std::string path;
};

/// While it lives, no file of this process can grow over `bytes`.
struct FileSizeLimit {
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit lower{bytes, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &lower) == 0);
  }
  ~FileSizeLimit() { (void)::setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

}  // namespace

TEST_CASE("the SQLite store keeps the contract of a store") {
  Folder folder;
  for (const auto durability : {Durability::os, Durability::fsync}) {
    const auto file = folder.file() + (durability == Durability::os ? "1" : "2");
    test::check_contract(*open_sqlite(file, durability).value().store);
  }
}

TEST_CASE("what was applied is there after a new opening, for the owner only") {
  Folder folder;
  REQUIRE(open_sqlite(folder.file(), Durability::os).value().store->apply({{"k", "v"}}));
  auto again = open_sqlite(folder.file(), Durability::os).value();
  CHECK(test::keys_of(*again.store, "") == "k=v ");
  CHECK(again.notice.empty());
  for (const auto& entry : std::filesystem::directory_iterator(folder.path + "/deep/er")) {
    struct stat status {};
    REQUIRE(::stat(entry.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
}

TEST_CASE("a damaged store is kept aside and a new one begins") {
  Folder folder;
  (void)open_sqlite(folder.file(), Durability::os).value();
  std::ofstream(folder.file(), std::ios::trunc) << std::string(5000, 'x');
  auto opened = open_sqlite(folder.file(), Durability::os).value();
  CHECK(opened.notice.find(".damaged-") != std::string::npos);
  CHECK(opened.store->apply({{"k", "v"}}));
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path + "/deep/er"))
    if (entry.path().string().find(".damaged-") != std::string::npos) ++kept;
  CHECK(kept == 1);
}

TEST_CASE("a page overwritten in the middle is noticed at opening") {
  Folder folder;
  std::vector<store::Store::Change> many;
  for (int i = 0; i < 2000; ++i) many.push_back({"key" + std::to_string(i), std::string(100, 'v')});
  REQUIRE(open_sqlite(folder.file(), Durability::os).value().store->apply(many));
  {
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2 * 4096);
    file << std::string(8192, '\x5a');
  }
  CHECK_FALSE(open_sqlite(folder.file(), Durability::os).value().notice.empty());
}

TEST_CASE("a second holder of the file is refused with a hint") {
  Folder folder;
  auto first = open_sqlite(folder.file(), Durability::os).value();
  REQUIRE(first.store->apply({{"k", "v"}}));
  const auto second = open_sqlite(folder.file(), Durability::os);
  REQUIRE_FALSE(second);
  CHECK(second.error().is(codes::store_failed));
  CHECK(second.error().message.find("another process") != std::string::npos);
  CHECK(second.error().message.find(folder.file()) != std::string::npos);
}

TEST_CASE("a write that does not fit fails whole, and the next one that fits works") {
  Folder folder;
  auto store = open_sqlite(folder.file(), Durability::os).value().store;
  REQUIRE(store->apply({{"before", "1"}}));
  {
    FileSizeLimit limit(64 * 1024);
    const auto refused = store->apply({{"small", "1"}, {"big", std::string(1 << 20, 'x')}});
    REQUIRE_FALSE(refused);
    CHECK((refused.error().is(codes::disk_full) || refused.error().is(codes::store_failed)));
    CHECK(test::keys_of(*store, "") == "before=1 ");
  }
  REQUIRE(store->apply({{"after", "1"}}));
  CHECK(test::keys_of(*store, "") == "after=1 before=1 ");
}

TEST_CASE("a folder that cannot be made is an error that names the file") {
  const auto opened = open_sqlite("/proc/no/such.db", Durability::os);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().is(codes::store_failed));
  CHECK(opened.error().message.find("/proc/no/such.db") != std::string::npos);
}
