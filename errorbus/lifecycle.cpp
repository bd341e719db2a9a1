#include "errorbus/lifecycle.hpp"

#include <algorithm>

#include "weft/base/utf8.hpp"

namespace weft::errorbus {
namespace {

constexpr std::string_view kStateNames[kIssueStates] = {"new",          "ongoing",  "regressed",
                                                        "acknowledged", "archived", "resolved"};

constexpr std::size_t kTextBytesMax = 1024;

std::string beginning_of(std::string text) {
  text.resize(utf8::cut(text, kTextBytesMax).size());
  return text;
}

void enter(Issue& issue, IssueState state, std::int64_t now_us) {
  issue.state = state;
  issue.changed_us = now_us;
  issue.until_us = 0;
}

void add_seen(std::vector<std::string>& seen, const std::string& name) {
  if (seen.size() >= kSeenMax || std::find(seen.begin(), seen.end(), name) != seen.end()) return;
  seen.push_back(name);
}

bool brings_back(const Issue& issue, const ErrorEvent& event) {
  if (event.time_us <= issue.changed_us) return false;  // it happened before somebody resolved it
  return issue.resolved_in.empty() || !version_before(event.version, issue.resolved_in);
}

/// One part of a version, taken off the front: a number, or the text up to the next number or separator.
std::string_view take_part(std::string_view& rest) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto separator = [](char c) { return c == '.' || c == '-' || c == '_' || c == '+'; };
  while (!rest.empty() && separator(rest.front())) rest.remove_prefix(1);
  std::size_t length = 0;
  while (length < rest.size() && !separator(rest[length]) && digit(rest[length]) == digit(rest.front())) ++length;
  const auto part = rest.substr(0, length);
  rest.remove_prefix(length);
  return part;
}

bool is_number(std::string_view part) { return !part.empty() && part.front() >= '0' && part.front() <= '9'; }

/// -1, 0, 1. An absent part is before a number and after a word: 1.2-rc < 1.2 < 1.2.1.
int compare_parts(std::string_view a, std::string_view b) {
  const auto rank = [](std::string_view part) { return part.empty() ? 1 : is_number(part) ? 2 : 0; };
  if (rank(a) != rank(b)) return rank(a) < rank(b) ? -1 : 1;
  if (is_number(a)) {
    a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
    b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  }
  const int order = a.compare(b);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

Result<void> check_possible(const Issue& issue, Action action) {
  const auto state = issue.state;
  const bool closed = state == IssueState::archived || state == IssueState::resolved;
  const bool possible = action == Action::acknowledge ? !closed
                        : action == Action::reopen    ? closed || state == IssueState::acknowledged
                                                      : true;
  if (possible) return {};
  return Error(codes::bad_value, "issue " + issue.id + " is " + std::string(to_string(state)) + ": it cannot be " +
                                     (closed ? "acknowledged, reopen it first" : "reopened, it is open"));
}

}  // namespace

std::string_view to_string(IssueState state) noexcept { return kStateNames[static_cast<std::size_t>(state)]; }

Result<IssueState> from_text(std::string_view name, std::type_identity<IssueState>) {
  for (std::size_t i = 0; i < kIssueStates; ++i) {
    if (kStateNames[i] == name) return static_cast<IssueState>(i);
  }
  return Error(codes::bad_value,
               "'" + std::string(name.substr(0, 40)) + "' is no state of an issue" +
                   did_you_mean(name.substr(0, 40), {std::begin(kStateNames), std::end(kStateNames)}),
               "one of new, ongoing, regressed, acknowledged, archived, resolved");
}

std::string_view to_string(Action action) noexcept {
  constexpr std::string_view kNames[] = {"ack", "resolve", "archive", "reopen"};
  return kNames[static_cast<std::size_t>(action)];
}

bool version_before(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    const auto part_a = take_part(a);
    const auto part_b = take_part(b);
    if (const int order = compare_parts(part_a, part_b); order != 0) return order < 0;
  }
  return false;
}

bool settle(Issue& issue, std::int64_t now_us) {
  const bool young = issue.state == IssueState::fresh || issue.state == IssueState::regressed;
  const bool grown = young && now_us - issue.changed_us >= kFreshUs;
  const bool over = issue.until_us > 0 && now_us >= issue.until_us;
  if (!grown && !over) return false;
  enter(issue, IssueState::ongoing, now_us);
  return true;
}

void count_event(Issue& issue, const ErrorEvent& event, std::int64_t now_us) {
  if (issue.count == 0) {
    issue.code = event.code;
    issue.category = event.category;
    issue.message = event.message;
    issue.first_seen_us = issue.last_seen_us = event.time_us;
    issue.first_event = issue.last_event = event.id.to_string();
    issue.version = event.version;
    enter(issue, IssueState::fresh, now_us);
  }
  settle(issue, now_us);
  if (issue.state == IssueState::resolved && brings_back(issue, event)) enter(issue, IssueState::regressed, now_us);
  issue.count += 1 + event.repeated;
  issue.severity = std::max(issue.severity, event.severity);
  issue.first_seen_us = std::min(issue.first_seen_us, event.time_us);
  if (event.time_us >= issue.last_seen_us) {
    issue.text = beginning_of(event.text());
    issue.last_seen_us = event.time_us;
    issue.last_event = event.id.to_string();
    issue.version = event.version;
  }
  add_seen(issue.hosts, event.host);
  add_seen(issue.agents, event.agent);
}

Result<void> act(Issue& issue, Action action, const IssueAction& by, std::int64_t now_us) {
  if (by.who.empty() || by.who.size() > 128) return Error(codes::bad_value, "who: wanted a name of 1 to 128 bytes");
  if (by.why.size() > 1024) return Error(codes::bad_value, "why: wanted at most 1024 bytes");
  if (by.version.size() > 128) return Error(codes::bad_value, "version: wanted at most 128 bytes");
  const bool until = action == Action::acknowledge || action == Action::archive;
  if (until && by.until_us != 0 && by.until_us <= now_us) return Error(codes::bad_value, "until_us: is in the past");
  settle(issue, now_us);
  if (auto possible = check_possible(issue, action); !possible) return possible;
  constexpr IssueState kNext[] = {IssueState::acknowledged, IssueState::resolved, IssueState::archived,
                                  IssueState::ongoing};
  enter(issue, kNext[static_cast<std::size_t>(action)], now_us);
  issue.who = by.who;
  issue.why = by.why;
  issue.resolved_in = action == Action::resolve ? by.version : "";
  if (until) issue.until_us = by.until_us;
  return {};
}

}  // namespace weft::errorbus
