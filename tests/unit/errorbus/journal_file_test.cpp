// What happens to the journal when its file or its process fails.
#include "tests/support/damage.hpp"
#include "tests/unit/errorbus/journal_fixture.hpp"
#include "weft/store/sqlite.hpp"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

using namespace weft;
using namespace weft::errorbus;
using test::bytes_of;

namespace {

/// While it lives no file of this process grows beyond `bytes`: a disk that is full.
struct FullDisk {
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    rlimit limit = before;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before); }
  rlimit before{};
};

/// Flips a bit of the first byte of `text` in `file`.
void flip(const std::string& file, const std::string& text) {
  std::string bytes = bytes_of(file);
  const auto at = bytes.find(text);
  REQUIRE(at != std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 4);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE_METHOD(JournalFixture,
                 "a full disk refuses events, keeps what was taken, and is forgotten when there is room again") {
  open();
  REQUIRE(commit(test::numbered_events(1, 100)));
  {
    FullDisk full(16 * 1024);
    auto big = test::numbered_events(101, 200);
    for (auto& event : big) event.stack.assign(2000, 'x');
    const auto refused = commit(big);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().is(codes::journal_failed));
    CHECK_FALSE(journal->probe());
  }
  REQUIRE(journal->probe());
  REQUIRE(commit(test::numbered_events(101, 200)));
  CHECK(kept() == test::numbers(1, 200));
  CHECK(journal->events_total() == 200);
  CHECK(journal->take_notice().empty());
}

TEST_CASE_METHOD(JournalFixture, "a file at its own limit makes room from what was forwarded") {
  options.bytes_max = 1024 * 1024;
  open();
  for (std::uint64_t n = 1; n <= 3000; n += 10) {
    auto events = test::numbered_events(n, n + 9);
    for (auto& event : events) event.stack.assign(1000, 'x');
    INFO(n);
    auto reply = commit(events);
    if (!reply) reply = commit(events);  // the refusal has made room
    REQUIRE(reply);
  }
  CHECK(journal->events_total() == 3000);
  CHECK(journal->events_kept() < 1000);
  CHECK(journal->events_kept() > 100);
}

TEST_CASE_METHOD(JournalFixture, "a damaged file is moved aside and told; the next events are taken") {
  open();
  REQUIRE(commit(test::numbered_events(1, 10)));
  journal.reset();
  dir.write("state/errorbus.db", std::string(8192, 'x'));
  open();
  CHECK(journal->take_notice().find(".damaged-") != std::string::npos);
  CHECK(journal->take_notice().empty());
  REQUIRE(commit(test::numbered_events(1, 2)));
  CHECK(kept() == test::numbers(1, 2));
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "state")) {
    aside += entry.path().string().find(".damaged-") != std::string::npos;
  }
  CHECK(aside >= 1);
}

TEST_CASE_METHOD(JournalFixture,
                 "one flipped bit in an event is told at the next opening, and the event is not given on") {
  open(true);
  auto events = test::numbered_events(1, 10);
  events[4].stack = "a stack to be damaged";
  REQUIRE(commit(events));
  journal.reset();
  flip(dir / "state/errorbus.db", "a stack to be damaged");
  open(true);
  CHECK(journal->take_notice().find("1 of its events are not as written") != std::string::npos);
  CHECK(kept() == std::vector<std::int64_t>{1, 2, 3, 4, 6, 7, 8, 9, 10});
  CHECK(journal->waiting(100, 1 << 20)->events.size() == 9);
  REQUIRE(commit(test::numbered_events(11, 11)));
}

TEST_CASE_METHOD(JournalFixture, "one flipped bit anywhere in the file changes no event unnoticed") {
  open();
  REQUIRE(commit(test::numbered_events(1, 60)));
  journal.reset();
  const std::string file = dir / "state/errorbus.db";
  const std::string good = bytes_of(file);
  std::size_t noticed = 0;
  for (std::size_t at = 100; at < good.size(); at += 499) {
    INFO("byte " << at);
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    journal.reset();
    dir.write("state/errorbus.db", bad);
    open();
    const auto numbers = kept();
    const bool told = !journal->take_notice().empty();
    CHECK((told || numbers == test::numbers(1, 60)));
    CHECK((told || journal->events_total() == 60));
    for (const auto n : numbers) CHECK((n >= 1 && n <= 60));
    noticed += told ? 1U : 0U;
  }
  CHECK(noticed > 10);
}

TEST_CASE_METHOD(JournalFixture, "one flipped bit in the log that a killed bus left is told, and the log is kept") {
  open();
  for (std::uint64_t n = 1; n <= 20; ++n) REQUIRE(commit(test::numbered_events(n, n)));
  const std::string good = bytes_of(dir / "state/errorbus.db"), log = bytes_of(dir / "state/errorbus.db-wal");
  journal.reset();
  std::string bad = log;
  bad[log.size() / 2] = static_cast<char>(bad[log.size() / 2] ^ 1);
  dir.write("state/errorbus.db", good);
  dir.write("state/errorbus.db-wal", bad);
  open();
  const std::string notice = journal->take_notice();
  REQUIRE(notice.find("kept as ") != std::string::npos);
  const auto aside = notice.substr(notice.find("kept as ") + 8);
  CHECK(bytes_of(aside.substr(0, aside.find(',')) + "-wal") == bad);
  CHECK(kept().size() < 20);
}

TEST_CASE_METHOD(JournalFixture, "a journal without sums gets them") {
  open();
  REQUIRE(commit(test::numbered_events(1, 10)));
  journal.reset();
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((dir / "state/errorbus.db").c_str(), &db) == SQLITE_OK);
  for (const std::string table : {"events", "issues", "counts", "marks"})
    REQUIRE(sqlite3_exec(db, ("ALTER TABLE " + table + " DROP COLUMN crc").c_str(), nullptr, nullptr, nullptr) ==
            SQLITE_OK);
  REQUIRE(sqlite3_exec(db, "PRAGMA user_version=1", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  open();
  CHECK(journal->take_notice().empty());
  CHECK(kept() == test::numbers(1, 10));
  CHECK(journal->events_total() == 10);
}

TEST_CASE_METHOD(JournalFixture,
                 "a file that is removed under the journal is noticed before anything is acknowledged") {
  open();
  REQUIRE(commit(test::numbered_events(1, 10)));
  std::filesystem::remove_all(dir / "state");
  CHECK_FALSE(commit(test::numbered_events(11, 20)));
  CHECK_FALSE(journal->is_open());
  REQUIRE(journal->open());
  REQUIRE(commit(test::numbered_events(11, 20)));
  CHECK(kept() == test::numbers(11, 20));
}

TEST_CASE_METHOD(JournalFixture,
                 "a damaged journal is kept aside and reported, and what is whole continues; else it is in memory") {
  for (const auto damage : test::kEveryDamage) {
    std::filesystem::remove_all(dir / "state");
    open();
    REQUIRE(commit(test::numbered_events(1, 200)));
    journal.reset();
    const std::string file = dir / "state/errorbus.db";
    if (damage == test::Damage::newer) store::Database(file).run("PRAGMA user_version=9");
    test::inflict(damage, file, 20);
    {
      std::unique_ptr<test::NoPermission> denied;
      if (damage == test::Damage::no_permission) denied = std::make_unique<test::NoPermission>(file);
      journal = std::make_unique<Journal>(clock, options, false, Severity::info);
      const auto works = journal->probe();
      INFO(test::name_of(damage) << ": " << (works ? journal->take_notice() : works.error().describe()));
      const bool is_file = damage <= test::Damage::middle;
      CHECK(works.has_value() == is_file);
      if (!is_file) {
        CHECK(works.error().is(codes::journal_failed));
        REQUIRE(journal->open_memory());
        CHECK(journal->in_memory());
      }
      const auto left = kept();
      if (damage == test::Damage::header) CHECK(left == test::numbers(1, 200));
      if (damage == test::Damage::half || damage == test::Damage::middle) CHECK(left.size() > 50);
      if (damage == test::Damage::empty || !is_file) CHECK(left.empty());
      REQUIRE(commit(test::numbered_events(201, 210)));
      CHECK(kept().size() == left.size() + 10);
    }
    journal.reset();
    CHECK_FALSE(std::filesystem::exists(file + ".mending"));
  }
}

TEST_CASE_METHOD(JournalFixture, "fifty flipped bits leave every event that is whole and can be reached") {
  open();
  for (std::uint64_t n = 1; n <= 2000; n += 200) REQUIRE(commit(test::numbered_events(n, n + 199)));
  journal.reset();
  const std::string file = dir / "state/errorbus.db";
  const auto size = std::filesystem::file_size(file);
  for (std::size_t i = 1; i <= 50; ++i) test::flip_bit(file, 4096 + (i * 7919 * 13) % (size - 4096));
  open();
  CHECK(journal->take_notice().find(".damaged-") != std::string::npos);
  const auto left = kept();
  INFO(left.size());
  CHECK(left.size() == 1000);  // as many as one answer holds
  for (const auto n : left) CHECK((n >= 1 && n <= 2000));
}

TEST_CASE_METHOD(JournalFixture,
                 "a file that another bus has, a folder that cannot be made and a newer file are told apart") {
  open();
  Journal second(clock, options, false, Severity::info);
  CHECK(second.open().error().message.find("another process holds it") != std::string::npos);
  dir.write("file", "");
  JournalOptions nowhere;
  nowhere.file = dir / "file/errorbus.db";
  Journal third(clock, nowhere, false, Severity::info);
  CHECK(third.open().error().message.find("cannot open it (journal " + nowhere.file + "): cannot create") == 0);
  CHECK(third.commit({}).error().is(codes::journal_failed));
}

TEST_CASE_METHOD(JournalFixture, "whatever was acknowledged before a kill -9 is there afterwards, once") {
  for (unsigned round = 0; round < 5; ++round) {
    int pipe_ends[2];
    REQUIRE(::pipe(pipe_ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Journal victim(clock, options, false, Severity::info);
      if (!victim.open()) ::_exit(1);
      for (std::uint64_t n = std::uint64_t{round} * 1'000'000 + 1;; n += 20) {
        const auto events = test::numbered_events(n, n + 19);
        const std::vector<ErrorEvent>* reports[] = {&events};
        if (!victim.commit(reports)) ::_exit(1);
        const auto last = n + 19;
        if (::write(pipe_ends[1], &last, sizeof last) != sizeof last) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    std::uint64_t last = 0;
    for (unsigned i = 0; i < 20 + 7 * round; ++i) REQUIRE(::read(pipe_ends[0], &last, sizeof last) == sizeof last);
    REQUIRE(::kill(child, SIGKILL) == 0);
    while (::read(pipe_ends[0], &last, sizeof last) == sizeof last) {  // what it acknowledged meanwhile
    }
    ::close(pipe_ends[0]);
    ::waitpid(child, nullptr, 0);

    open();
    std::set<std::int64_t> found;
    EventsRequest request;
    request.limit = 1000;
    request.oldest_first = true;
    std::uint64_t events = 0;
    for (bool more = true; more;) {
      const auto page = journal->events(request);
      REQUIRE(page);
      for (const auto& stored : page->events) found.insert(stored.event.values.at("n").as_int());
      events += page->events.size();
      request.after = page->next;
      more = page->more;
    }
    CHECK(found.size() == events);
    CHECK(journal->events_total() == events);
    CHECK(journal->issues({})->at(0).count == events);
    const std::uint64_t first_number = std::uint64_t{round} * 1'000'000 + 1;
    std::uint64_t missing = 0;
    for (auto n = first_number; n <= last; ++n) missing += found.contains(static_cast<std::int64_t>(n)) ? 0U : 1U;
    CHECK(missing == 0);
    journal.reset();
  }
}
