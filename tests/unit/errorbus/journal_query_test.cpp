#include "tests/unit/errorbus/journal_fixture.hpp"

using namespace weft;
using namespace weft::errorbus;

namespace {

EventsRequest first(std::uint64_t limit) {
  EventsRequest request;
  request.limit = limit;
  return request;
}

}  // namespace

TEST_CASE_METHOD(JournalFixture, "events are found by host, agent, code, severity, time and issue") {
  open();
  auto events = test::numbered_events(1, 4);
  events[0].host = "beta";
  events[1].agent = "probe";
  events[2].code = "OTHER";
  events[3].severity = Severity::critical;
  REQUIRE(commit(events));
  auto found = [&](auto narrow) {
    EventsRequest request;
    narrow(request);
    return kept(request);
  };
  using Numbers = std::vector<std::int64_t>;
  CHECK(found([](auto& r) { r.host = "beta"; }) == Numbers{1});
  CHECK(found([](auto& r) { r.agent = "probe"; }) == Numbers{2});
  CHECK(found([](auto& r) { r.code = "OTHER"; }) == Numbers{3});
  CHECK(found([](auto& r) { r.severity = Severity::critical; }) == Numbers{4});
  CHECK(found([&](auto& r) { r.since_us = events[2].time_us; }) == Numbers{3, 4});
  CHECK(found([&](auto& r) { r.until_us = events[2].time_us; }) == Numbers{1, 2});
  CHECK(found([](auto& r) { r.host = "nowhere"; }).empty());
  const auto issue = journal->events(first(1))->events.at(0).issue;
  CHECK(found([&](auto& r) { r.issue = issue; }) == Numbers{1, 4});
}

TEST_CASE_METHOD(JournalFixture, "pages follow each other in both directions without a gap or a repeat") {
  open();
  REQUIRE(commit(test::numbered_events(1, 25)));
  for (const bool oldest_first : {true, false}) {
    std::vector<std::int64_t> all;
    EventsRequest request;
    request.limit = 10;
    request.oldest_first = oldest_first;
    for (bool more = true; more;) {
      const auto page = journal->events(request);
      REQUIRE(page);
      for (const auto& stored : page->events) all.push_back(stored.event.values.at("n").as_int());
      request.after = page->next;
      more = page->more;
    }
    if (!oldest_first) std::reverse(all.begin(), all.end());
    CHECK(all == test::numbers(1, 25));
  }
  CHECK_FALSE(journal->events(first(0)));
  CHECK_FALSE(journal->events(first(1001)));
}

TEST_CASE_METHOD(JournalFixture, "an issue is acknowledged, resolved and found by its state") {
  open();
  REQUIRE(commit(test::numbered_events(1, 2)));
  const auto id = journal->issues({})->at(0).id;
  CHECK(journal->issue_states()->at(0) == 1);
  IssueAction action;
  action.id = id;
  action.who = "ada";
  REQUIRE(journal->act(Action::acknowledge, action)->state == IssueState::acknowledged);
  CHECK(journal->issues({.state = "acknowledged"})->size() == 1);
  CHECK(journal->issues({.state = "new"})->empty());
  REQUIRE(journal->act(Action::resolve, action));
  open();
  CHECK(journal->issues({.state = "resolved"})->size() == 1);
  CHECK(journal->issue_states()->at(5) == 1);
  auto again = test::numbered_events(3, 3);
  again[0].time_us = to_us(clock.wall()) + 1000;
  REQUIRE(commit(again));
  CHECK(journal->issue(id)->issue.state == IssueState::regressed);
  CHECK(journal->issue(id)->events.size() == 2);
  clock.advance(std::chrono::hours(24));
  REQUIRE(journal->settle_issues());
  CHECK(journal->issue_states()->at(1) == 1);
  CHECK(journal->issue("v1:0000000000000000").error().is(codes::unknown_issue));
  action.id = "nonsense";
  CHECK(journal->act(Action::archive, action).error().is(codes::unknown_issue));
  CHECK_FALSE(journal->issues({.state = "nonsense"}));
}
