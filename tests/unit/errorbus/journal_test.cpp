#include "tests/unit/errorbus/journal_fixture.hpp"

#include <sys/stat.h>

using namespace weft;
using namespace weft::errorbus;

TEST_CASE_METHOD(JournalFixture, "an empty journal answers with nothing, and only its owner can read the file") {
  open();
  CHECK(journal->events_total() == 0);
  CHECK(journal->events_kept() == 0);
  CHECK(kept().empty());
  CHECK(journal->issues({})->empty());
  CHECK(commit({})->accepted == 0);
  struct stat info {};
  REQUIRE(::stat(options.file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE_METHOD(JournalFixture, "events, issues and counts are there after the journal is opened again") {
  open();
  REQUIRE(commit(test::numbered_events(1, 10))->accepted == 10);
  const auto issues = *journal->issues({});
  open();
  CHECK(kept() == test::numbers(1, 10));
  CHECK(journal->events_total() == 10);
  CHECK(journal->counts().at({"alpha", "echo", Severity::error, "NUMBERED"}) == 10);
  CHECK(*journal->issues({}) == issues);
  REQUIRE(issues.size() == 1);
  CHECK(issues[0].count == 10);
  REQUIRE(commit(test::numbered_events(11, 12)));
  CHECK(kept() == test::numbers(1, 12));
}

TEST_CASE_METHOD(JournalFixture,
                 "issues of the first version continue beside those of exceptions, also after reopening") {
  open();
  REQUIRE(commit(test::numbered_events(1, 2)));
  open();
  auto events = test::numbered_events(3, 5);
  events[1].exception = events[2].exception = "std::bad_alloc";
  REQUIRE(commit(events));
  std::map<std::string, std::uint64_t> counts;
  const auto issues = *journal->issues({});
  for (const auto& issue : issues) counts[issue.id.substr(0, 3)] = issue.count;
  CHECK(counts == std::map<std::string, std::uint64_t>{{"v1:", 3}, {"v2:", 2}});
}

TEST_CASE_METHOD(JournalFixture, "an event that stands for several counts as that many, once") {
  open();
  auto events = test::numbered_events(1, 2);
  events[1].repeated = 98;
  REQUIRE(commit(events)->accepted == 2);
  REQUIRE(commit(events)->duplicates == 2);
  open();
  CHECK(journal->issues({})->at(0).count == 100);
  CHECK(journal->events_total() == 100);
  CHECK(journal->events_kept() == 2);
  CHECK(journal->counts().at({"alpha", "echo", Severity::error, "NUMBERED"}) == 100);
}

TEST_CASE_METHOD(JournalFixture,
                 "an event whose id the journal has is a duplicate, also within one report and after reopening") {
  open();
  auto twice = test::numbered_events(1, 3);
  twice.push_back(twice[0]);
  CHECK(commit(twice)->duplicates == 1);
  open();
  const auto reply = commit(test::numbered_events(2, 5));
  CHECK(reply->accepted == 2);
  CHECK(reply->duplicates == 2);
  CHECK(journal->events_total() == 5);
  CHECK(journal->issues({})->at(0).count == 5);
  CHECK(kept() == test::numbers(1, 5));
}

TEST_CASE_METHOD(JournalFixture, "several reports share one transaction, each with its own reply") {
  open();
  const auto first = test::numbered_events(1, 2), second = test::numbered_events(2, 4);
  const std::vector<ErrorEvent>* reports[] = {&first, &second};
  const auto committed = journal->commit(reports);
  REQUIRE(committed);
  CHECK(committed->replies[0].accepted == 2);
  CHECK(committed->replies[1].accepted == 2);
  CHECK(committed->replies[1].duplicates == 1);
  CHECK(committed->fresh.size() == 4);
}

TEST_CASE_METHOD(JournalFixture, "the oldest events beyond the limit go, counts and issues stay exact") {
  options.events_max = 1000;
  open();
  for (std::uint64_t n = 1; n <= 3000; n += 100) REQUIRE(commit(test::numbered_events(n, n + 99)));
  CHECK(kept() == test::numbers(2001, 3000));
  CHECK(journal->events_total() == 3000);
  CHECK(journal->issues({})->at(0).count == 3000);
}

TEST_CASE_METHOD(JournalFixture, "what the hub does not have yet is never dropped; at the limit reports are refused") {
  options.events_max = 1000;
  options.pending_max = 2000;
  open(true);
  for (std::uint64_t n = 1; n <= 2000; n += 100) REQUIRE(commit(test::numbered_events(n, n + 99)));
  CHECK(journal->events_kept() == 2000);
  const auto refused = commit(test::numbered_events(2001, 2001));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(codes::journal_failed));
  journal->relayed(*journal->waiting(1500, 100'000'000));
  REQUIRE(commit(test::numbered_events(2001, 2001)));
  CHECK(journal->events_kept() == 1487);  // one step, of 512 and twice the new ones, is gone
  CHECK(journal->waiting_events() == 501);
}

TEST_CASE_METHOD(JournalFixture, "the relay gets events in order, from where the hub has them, also after reopening") {
  open(true);
  REQUIRE(commit(test::numbered_events(1, 10)));
  auto batch = journal->waiting(4, 100'000'000);
  CHECK(test::numbers_of(batch->events) == test::numbers(1, 4));
  CHECK(test::numbers_of(journal->waiting(4, 100'000'000)->events) == test::numbers(1, 4));  // not acknowledged
  journal->relayed(*batch);
  CHECK(journal->waiting_events() == 6);
  const auto bytes = journal->waiting_bytes();
  open(true);
  CHECK(journal->waiting_events() == 6);
  CHECK(journal->waiting_bytes() == bytes);
  CHECK(test::numbers_of(journal->waiting(100, 100'000'000)->events) == test::numbers(5, 10));
  CHECK(journal->waiting(100, 1)->events.size() == 1);
  CHECK(journal->waiting_since_us() == to_us(clock.wall()));
  journal->relayed(*journal->waiting(100, 100'000'000));
  CHECK(journal->waiting_events() == 0);
  CHECK(journal->waiting_bytes() == 0);
  CHECK(journal->waiting_since_us() == 0);
}

TEST_CASE_METHOD(JournalFixture, "events below the severity to forward are passed over") {
  open(true, Severity::error);
  auto events = test::numbered_events(1, 4);
  events[0].severity = events[1].severity = events[3].severity = Severity::warning;
  REQUIRE(commit(events));
  CHECK(journal->waiting_events() == 1);
  const auto batch = journal->waiting(100, 100'000'000);
  CHECK(test::numbers_of(batch->events) == std::vector<std::int64_t>{3});
  journal->relayed(*batch);
  CHECK(journal->waiting(100, 100'000'000)->empty());
}

TEST_CASE_METHOD(JournalFixture, "label sets beyond the limit are counted together") {
  options.series_max = 3;
  open();
  auto events = test::numbered_events(1, 10);
  for (auto& event : events) event.code = "C" + std::to_string(event.values["n"].as_int());
  REQUIRE(commit(events));
  CHECK(journal->counts().size() == 4);
  CHECK(journal->counts().at({"_overflow", "_overflow", Severity::error, "_overflow"}) == 7);
  CHECK(journal->events_total() == 10);
}

TEST_CASE_METHOD(JournalFixture, "issues not seen for longest go when there are too many") {
  options.issues_max = 5;
  open();
  auto events = test::numbered_events(1, 8);
  for (auto& event : events) event.code = "C" + std::to_string(event.values["n"].as_int());
  REQUIRE(commit(events));
  auto issues = *journal->issues({});
  REQUIRE(issues.size() == 5);
  CHECK(issues.front().code == "C8");
  CHECK(issues.back().code == "C4");
}
