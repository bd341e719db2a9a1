// The SQLite backend: contract, restart, damage, a full disk, a second process.
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

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

/// Records as a queue's: small ones, and one over several pages.
std::vector<store::Store::Change> some_records() {
  std::vector<store::Store::Change> records;
  for (int i = 0; i < 60; ++i) records.push_back({"i/" + std::to_string(i), std::string(100, static_cast<char>(i))});
  records.push_back({"i/large", std::string(20'000, 'L')});
  return records;
}

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& file, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// How many of some_records() are there; each is as it was written.
std::size_t sound_records(store::Store& store) {
  std::map<std::string, std::string> written;
  for (auto& record : some_records()) written[record.key] = record.value;
  const auto entries = store.list("").value();
  for (const auto& entry : entries) {
    if (written.at(entry.key) != entry.value) FAIL("a damaged record was given: " << entry.key);
  }
  return entries.size();
}

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

TEST_CASE("one flipped bit anywhere in the file changes no record unnoticed, and costs few others") {
  Folder folder;
  REQUIRE(open_sqlite(folder.file(), Durability::os).value().store->apply(some_records()));
  const std::string good = bytes_of(folder.file());
  REQUIRE(good.size() > 8 * 4096);
  std::size_t noticed = 0, losses = 0, rescued = 0;
  for (std::size_t at = 100; at < good.size(); at += 409) {  // behind the head, of which some bytes mean nothing
    INFO("byte " << at);
    Folder own;
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    write(own.file(), bad);
    auto opened = open_sqlite(own.file(), Durability::os).value();
    const std::size_t whole = sound_records(*opened.store);
    if (whole < some_records().size()) {
      REQUIRE(opened.notice.find(".damaged-") != std::string::npos);
      ++losses;
      rescued += whole;
    }
    noticed += opened.notice.empty() ? 0U : 1U;
    if (opened.notice.empty()) continue;
    const auto aside = opened.notice.substr(opened.notice.find("kept as ") + 8);
    CHECK(bytes_of(aside.substr(0, aside.find(','))).size() == good.size());
  }
  CHECK(noticed > 30);
  CHECK(rescued / losses > 30);  // of 61
}

TEST_CASE("a flipped bit in the head of the file is noticed, or means nothing") {
  Folder folder;
  REQUIRE(open_sqlite(folder.file(), Durability::os).value().store->apply(some_records()));
  const std::string good = bytes_of(folder.file());
  for (std::size_t at = 0; at < 100; at += 4) {
    INFO("byte " << at);
    Folder own;
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    write(own.file(), bad);
    auto opened = open_sqlite(own.file(), Durability::os);
    if (opened && opened->notice.empty()) CHECK(sound_records(*opened->store) == some_records().size());
  }
}

TEST_CASE("one flipped bit in the log that a killed process left is noticed, and the log is kept") {
  Folder folder;
  auto store = open_sqlite(folder.file(), Durability::os).value().store;
  for (auto& record : some_records()) REQUIRE(store->apply({record}));
  const std::string good = bytes_of(folder.file()), log = bytes_of(folder.file() + "-wal");
  REQUIRE(log.size() > 40 * 4096);
  const auto left = [&](const Folder& own, const std::string& of_log) {
    write(own.file(), good);
    write(own.file() + "-wal", of_log);
    return open_sqlite(own.file(), Durability::os).value();
  };
  {
    Folder own;
    auto opened = left(own, log);
    CHECK(opened.notice.empty());
    CHECK(sound_records(*opened.store) == some_records().size());
  }
  {
    Folder own;  // cut off in a write: nothing of it was acknowledged
    CHECK(left(own, log.substr(0, log.size() - 100)).notice.empty());
  }
  for (std::size_t at = 0; at + 4096 < log.size(); at += 5003) {
    INFO("byte " << at);
    Folder own;
    std::string bad = log;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    auto opened = left(own, bad);
    CHECK(opened.notice.find(".damaged-") != std::string::npos);
    (void)sound_records(*opened.store);
    const auto aside = opened.notice.substr(opened.notice.find("kept as ") + 8);
    CHECK(bytes_of(aside.substr(0, aside.find(',')) + "-wal") == bad);
  }
}

TEST_CASE("a record that is damaged while the file is open is left out of lists, and told") {
  Folder folder;
  auto store = open_sqlite(folder.file(), Durability::os).value().store;
  const std::string beyond_the_cache(8 * 1024 * 1024, 'L');
  REQUIRE(store->apply({{"i/1", "one"}, {"i/large", beyond_the_cache}}));
  store = open_sqlite(folder.file() + "2", Durability::os).value().store;  // closes the first: all is in its file
  store = open_sqlite(folder.file(), Durability::os).value().store;
  std::string bad = bytes_of(folder.file());
  bad[bad.rfind("LLLL")] = 'M';
  {
    std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
    file << bad;
  }
  CHECK(test::keys_of(*store, "") == "i/1=one ");
  CHECK(store->take_damaged() == std::vector<std::string>{"i/large"});
  CHECK(store->take_damaged().empty());
}

TEST_CASE("a file that was written without sums gets them") {
  Folder folder;
  std::filesystem::create_directories(folder.path + "/deep/er");
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(folder.file().c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db,
                       "CREATE TABLE entries(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
                       "INSERT INTO entries VALUES(x'61', x'62'); PRAGMA user_version=1",
                       nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  auto opened = open_sqlite(folder.file(), Durability::os).value();
  CHECK(opened.notice.empty());
  CHECK(test::keys_of(*opened.store, "") == "a=b ");
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
