#include "errorbus/lifecycle.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"

using namespace weft;
using namespace weft::errorbus;

namespace {

constexpr std::int64_t kNow = 1'700'000'100'000'000;

Issue in_state(IssueState state) {
  Issue issue;
  count_event(issue, test::numbered_event(1), kNow);
  issue.state = state;
  return issue;
}
IssueAction by(std::string who) {
  IssueAction action;
  action.who = std::move(who);
  return action;
}
ErrorEvent event_at(std::int64_t time_us, std::string version = "1.0.0") {
  ErrorEvent event = test::numbered_event(2);
  event.time_us = time_us;
  event.version = std::move(version);
  return event;
}

}  // namespace

TEST_CASE("the first event makes a new issue and gives it its words") {
  Issue issue;
  count_event(issue, test::numbered_event(1), kNow);
  CHECK(issue.state == IssueState::fresh);
  CHECK(issue.count == 1);
  CHECK(issue.code == "NUMBERED");
  CHECK(issue.message == "event {n}");
  CHECK(issue.text == "event 1");
  CHECK(issue.first_seen_us == issue.last_seen_us);
  CHECK(issue.first_event == issue.last_event);
  CHECK(issue.hosts == std::vector<std::string>{"alpha"});
}

TEST_CASE("an issue counts every event and keeps the worst severity, the span of time and who had it") {
  Issue issue;
  auto first = test::numbered_event(10);
  first.severity = Severity::critical;
  count_event(issue, first, kNow);
  count_event(issue, test::numbered_event(3, "beta"), kNow);  // an older one that came late
  CHECK(issue.count == 2);
  CHECK(issue.severity == Severity::critical);
  CHECK(issue.first_seen_us == test::numbered_event(3).time_us);
  CHECK(issue.last_seen_us == first.time_us);
  CHECK(issue.last_event == first.id.to_string());
  CHECK(issue.text == "event 10");
  CHECK(issue.hosts == std::vector<std::string>{"alpha", "beta"});
}

TEST_CASE("an event that stands for further ones counts with them") {
  Issue issue;
  ErrorEvent event = test::numbered_event(1);
  event.repeated = 41;
  count_event(issue, event, kNow);
  count_event(issue, test::numbered_event(2), kNow);
  CHECK(issue.count == 43);
}

TEST_CASE("the text of an issue is cut to 1 KiB between two characters") {
  Issue issue;
  auto event = test::numbered_event(1);
  event.message = "{what}";
  std::string what = "a";
  while (what.size() < 5000) what += "\u00e4";  // two bytes
  event.values["what"] = what;
  count_event(issue, event, kNow);
  CHECK(issue.text == what.substr(0, 1023));
}

TEST_CASE("at most 64 hosts are remembered, all are counted") {
  Issue issue;
  for (int i = 0; i < 100; ++i) count_event(issue, test::numbered_event(1, "h" + std::to_string(i)), kNow);
  CHECK(issue.hosts.size() == kSeenMax);
  CHECK(issue.count == 100);
}

TEST_CASE("each action leads from each state where the table says, or is refused") {
  using enum IssueState;
  struct Row {
    IssueState from;
    Action action;
    std::optional<IssueState> to;
  };
  const Row table[] = {{fresh, Action::acknowledge, acknowledged},
                       {ongoing, Action::acknowledge, acknowledged},
                       {regressed, Action::acknowledge, acknowledged},
                       {acknowledged, Action::acknowledge, acknowledged},
                       {archived, Action::acknowledge, {}},
                       {resolved, Action::acknowledge, {}},
                       {fresh, Action::resolve, resolved},
                       {ongoing, Action::resolve, resolved},
                       {regressed, Action::resolve, resolved},
                       {acknowledged, Action::resolve, resolved},
                       {archived, Action::resolve, resolved},
                       {resolved, Action::resolve, resolved},
                       {fresh, Action::archive, archived},
                       {ongoing, Action::archive, archived},
                       {regressed, Action::archive, archived},
                       {acknowledged, Action::archive, archived},
                       {archived, Action::archive, archived},
                       {resolved, Action::archive, archived},
                       {fresh, Action::reopen, {}},
                       {ongoing, Action::reopen, {}},
                       {regressed, Action::reopen, {}},
                       {acknowledged, Action::reopen, ongoing},
                       {archived, Action::reopen, ongoing},
                       {resolved, Action::reopen, ongoing}};
  for (const Row& row : table) {
    INFO(to_string(row.action) << " from " << to_string(row.from));
    Issue issue = in_state(row.from);
    const auto done = act(issue, row.action, by("ada"), kNow);
    CHECK(done.has_value() == row.to.has_value());
    CHECK(issue.state == row.to.value_or(row.from));
    if (!done) CHECK(done.error().is(codes::bad_value));
  }
}

TEST_CASE("an action needs somebody, and an end in the future") {
  Issue issue = in_state(IssueState::fresh);
  CHECK_FALSE(act(issue, Action::acknowledge, by(""), kNow));
  IssueAction late = by("ada");
  late.until_us = kNow;
  CHECK_FALSE(act(issue, Action::acknowledge, late, kNow));
  IssueAction wordy = by("ada");
  wordy.why.assign(1025, 'x');
  CHECK_FALSE(act(issue, Action::acknowledge, wordy, kNow));
  CHECK(issue.state == IssueState::fresh);
}

TEST_CASE("each state takes a new event as the table says") {
  using enum IssueState;
  const std::pair<IssueState, IssueState> table[] = {{fresh, fresh},         {ongoing, ongoing},
                                                     {regressed, regressed}, {acknowledged, acknowledged},
                                                     {archived, archived},   {resolved, regressed}};
  for (const auto& [from, to] : table) {
    INFO(to_string(from));
    Issue issue = in_state(from);
    count_event(issue, event_at(kNow + 10), kNow + 20);
    CHECK(issue.state == to);
    CHECK(issue.count == 2);
  }
}

TEST_CASE("resolved in 1.2: events of 1.1 only count, one of 1.2 brings it back") {
  Issue issue = in_state(IssueState::ongoing);
  IssueAction fixed = by("ada");
  fixed.version = "1.2";
  REQUIRE(act(issue, Action::resolve, fixed, kNow));
  count_event(issue, event_at(kNow + 10, "1.1"), kNow + 20);
  CHECK(issue.state == IssueState::resolved);
  count_event(issue, event_at(kNow + 30, "1.2"), kNow + 40);
  CHECK(issue.state == IssueState::regressed);
  CHECK(issue.count == 3);
}

TEST_CASE("an event from before the resolution that comes late does not bring the issue back") {
  Issue issue = in_state(IssueState::ongoing);
  REQUIRE(act(issue, Action::resolve, by("ada"), kNow));
  count_event(issue, event_at(kNow - 1), kNow + 20);
  CHECK(issue.state == IssueState::resolved);
}

TEST_CASE("new and regressed issues are ongoing after a day, not before") {
  for (const auto state : {IssueState::fresh, IssueState::regressed}) {
    Issue issue = in_state(state);
    CHECK_FALSE(settle(issue, kNow + kFreshUs - 1));
    CHECK(issue.state == state);
    CHECK(settle(issue, kNow + kFreshUs));
    CHECK(issue.state == IssueState::ongoing);
    CHECK_FALSE(settle(issue, kNow + 2 * kFreshUs));
  }
}

TEST_CASE("acknowledged and archived end at their time") {
  for (const auto action : {Action::acknowledge, Action::archive}) {
    Issue issue = in_state(IssueState::fresh);
    IssueAction until = by("ada");
    until.until_us = kNow + 100;
    REQUIRE(act(issue, action, until, kNow));
    count_event(issue, event_at(kNow + 50), kNow + 99);
    CHECK(issue.state != IssueState::ongoing);
    count_event(issue, event_at(kNow + 99), kNow + 100);
    CHECK(issue.state == IssueState::ongoing);
  }
}

TEST_CASE("versions are in the order that people give them") {
  const std::pair<const char*, const char*> before[] = {
      {"1.1", "1.2"},         {"1.9", "1.10"}, {"1.2", "1.2.1"}, {"1.2-rc1", "1.2"},
      {"1.2-rc1", "1.2-rc2"}, {"", "1"},       {"1.02", "1.3"},  {"9", "10"}};
  for (const auto& [a, b] : before) {
    INFO(a << " and " << b);
    CHECK(version_before(a, b));
    CHECK_FALSE(version_before(b, a));
  }
  CHECK_FALSE(version_before("1.2", "1.2"));
  CHECK_FALSE(version_before("1.2", "1.02"));
  CHECK_FALSE(version_before("", ""));
}

TEST_CASE("a state is read back by its name") {
  for (std::size_t i = 0; i < kIssueStates; ++i) {
    const auto state = static_cast<IssueState>(i);
    CHECK(from_text(to_string(state), std::type_identity<IssueState>{}) == state);
  }
  const auto wrong = from_text("resolvd", std::type_identity<IssueState>{});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message.find("'resolved'") != std::string::npos);
}
