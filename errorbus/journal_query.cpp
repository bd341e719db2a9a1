// The journal's answers: events, issues, counts.
#include "errorbus/journal_impl.hpp"

namespace weft::errorbus {
namespace {

using store::Rows;
using store::Statement;
using store::Transaction;

constexpr std::uint64_t kLimitMax = 1000;
constexpr std::size_t kQueryScanMax = 20'000;  ///< rows looked at in one turn of the loop
constexpr std::size_t kReplyBytesMax = 4 * 1024 * 1024;

Result<void> check_limit(std::uint64_t limit) {
  if (limit >= 1 && limit <= kLimitMax) return {};
  return Error(codes::bad_value, "limit: wanted 1 to " + std::to_string(kLimitMax) + ", got " + std::to_string(limit));
}

// Columns of JournalFile's event statements: 0 seq, 1 received_us, 2 issue, 3 time_us, 4 severity, 5 host, 6 agent,
// 7 code, 8 body.
bool matches(const EventsRequest& wanted, const Statement& row) {
  const auto same = [&](const std::string& filter, int column) { return filter.empty() || filter == row.text(column); };
  const auto time = row.integer(3);
  return time >= wanted.since_us && (wanted.until_us == 0 || time < wanted.until_us) &&
         row.integer(4) >= static_cast<std::int64_t>(wanted.severity) && same(wanted.issue, 2) &&
         same(wanted.host, 5) && same(wanted.agent, 6) && same(wanted.code, 7);
}

Result<StoredEvent> stored(const Statement& row) {
  auto event = from_body<ErrorEvent>(row.blob(8));
  if (!event) return event.error();
  return StoredEvent{static_cast<std::uint64_t>(row.integer(0)), row.integer(1), row.text(2), std::move(*event)};
}

EventsReply scan(Statement& row, const EventsRequest& wanted) {
  EventsReply reply;
  std::size_t bytes = 0;
  Rows rows(row);
  for (std::size_t scanned = 0; rows.next(); ++scanned) {
    if (scanned == kQueryScanMax || bytes > kReplyBytesMax || reply.events.size() == wanted.limit) {
      reply.more = true;
      return reply;
    }
    reply.next = static_cast<std::uint64_t>(row.integer(0));
    if (!matches(wanted, row)) continue;
    bytes += row.blob(8).size();
    if (auto event = stored(row)) reply.events.push_back(std::move(*event));
  }
  return reply;
}

Error unknown_issue(const std::string& id) {
  return Error(codes::unknown_issue, "there is no issue '" + id.substr(0, 80) + "' here",
               "weft call errorbus.issues '{}' lists them; those of the whole mesh are at the hub");
}

/// Throws SqlFailure.
Result<Issue> read_issue(JournalFile& file, const std::string& id) {
  Rows rows(file.find_issue.bind(1, id));
  if (!rows.next()) return unknown_issue(id);
  return from_body<Issue>(file.find_issue.blob(0));
}

void add_event(JournalFile& file, const std::string& id, std::vector<StoredEvent>& out) {
  const auto ulid = Ulid::parse(id);
  if (!ulid) return;
  Rows rows(file.find_event.bind(1, std::as_bytes(std::span(ulid->bytes))));
  if (!rows.next()) return;
  if (auto event = stored(file.find_event)) out.push_back(std::move(*event));
}

}  // namespace

Result<EventsReply> Journal::events(const EventsRequest& request) {
  if (auto fits = check_limit(request.limit); !fits) return fits.error();
  return impl_->guarded("read events", [&] {
    const bool from_end = !request.oldest_first && request.after == 0;
    Statement& row = request.oldest_first ? impl_->file_->newer : impl_->file_->older;
    row.bind(1, from_end ? INT64_MAX : static_cast<std::int64_t>(request.after));
    EventsReply reply = scan(row, request);
    if (reply.next == 0) reply.next = request.after;
    return reply;
  });
}

Result<std::vector<Issue>> Journal::issues(const IssuesRequest& request) {
  if (auto fits = check_limit(request.limit); !fits) return fits.error();
  std::optional<IssueState> wanted;
  if (!request.state.empty()) {
    auto state = from_text(request.state, std::type_identity<IssueState>{});
    if (!state) return state.error();
    wanted = *state;
  }
  return impl_->guarded("read issues", [&] {
    std::vector<Issue> found;
    Rows rows(impl_->file_->all_issues);
    while (found.size() < request.limit && rows.next()) {
      auto issue = from_body<Issue>(impl_->file_->all_issues.blob(0));
      if (!issue) continue;
      settle(*issue, impl_->now_us());
      if (!wanted || issue->state == *wanted) found.push_back(std::move(*issue));
    }
    return found;
  });
}

Result<IssueReply> Journal::issue(const std::string& id) {
  return impl_->guarded("read an issue", [&]() -> Result<IssueReply> {
    auto issue = read_issue(*impl_->file_, id);
    if (!issue) return issue.error();
    settle(*issue, impl_->now_us());
    IssueReply reply{std::move(*issue), {}};
    add_event(*impl_->file_, reply.issue.first_event, reply.events);
    if (reply.issue.last_event != reply.issue.first_event) {
      add_event(*impl_->file_, reply.issue.last_event, reply.events);
    }
    return reply;
  });
}

Result<Issue> Journal::act(Action action, const IssueAction& by) {
  return impl_->guarded("change an issue", [&]() -> Result<Issue> {
    auto issue = read_issue(*impl_->file_, by.id);
    if (!issue) return issue;
    if (auto done = errorbus::act(*issue, action, by, impl_->now_us()); !done) return done.error();
    impl_->write_issue(*issue);
    return issue;
  });
}

Result<void> Journal::settle_issues() {
  return impl_->guarded("settle issues", [&]() -> Result<void> {
    std::vector<Issue> due;
    {
      Statement& row = impl_->file_->due_issues.bind(1, impl_->now_us());
      Rows rows(row);
      while (rows.next()) {
        if (auto issue = from_body<Issue>(row.blob(0))) due.push_back(std::move(*issue));
      }
    }
    Transaction transaction(impl_->file_->database);
    for (Issue& issue : due) {
      settle(issue, impl_->now_us());
      impl_->write_issue(issue);
    }
    transaction.commit();
    return {};
  });
}

Result<std::array<std::uint64_t, kIssueStates>> Journal::issue_states() {
  return impl_->guarded("count issues", [&] {
    std::array<std::uint64_t, kIssueStates> states{};
    Statement& row = impl_->file_->issue_states;
    Rows rows(row);
    while (rows.next()) {
      const auto state = static_cast<std::size_t>(row.integer(0));
      if (state < states.size()) states[state] = static_cast<std::uint64_t>(row.integer(1));
    }
    return states;
  });
}

std::int64_t Journal::waiting_since_us() {
  if (impl_->waiting_events_ == 0) return 0;
  auto since = impl_->guarded("read events", [&] {
    Statement& row = impl_->file_->waiting_since;
    row.bind(1, static_cast<std::int64_t>(impl_->relayed_seq_)).bind(2, static_cast<std::int64_t>(impl_->forward_));
    Rows rows(row);
    return rows.next() ? row.integer(0) : 0;
  });
  return since ? *since : 0;
}

}  // namespace weft::errorbus
