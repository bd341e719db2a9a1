// Journal: events, issues and counts in one SQLite file. A call is a transaction: all of it is on disk or nothing.
// Private to errorbus. Loop-bound; calls take as long as the disk does.
#pragma once
#include <map>
#include <memory>
#include <span>
#include <tuple>

#include "errorbus/errorbus.hpp"
#include "errorbus/lifecycle.hpp"

namespace weft::errorbus {

/// What events are counted by.
struct CountKey {
  std::string host, agent;
  Severity severity = Severity::info;
  std::string code;
  friend auto operator<=>(const CountKey&, const CountKey&) = default;
};
using Counts = std::map<CountKey, std::uint64_t>;

class Journal {
 public:
  /// Events of at least `forward` wait for relayed() before they may go; none do without `relays`.
  Journal(const Clock& clock, JournalOptions options, bool relays, Severity forward);
  ~Journal();

  /// Opens or creates the file (mode 0600) and its folder. A damaged file is moved aside to <file>.damaged-<time> and
  /// replaced by one with every row that is whole; take_notice() says so. A journal in memory moves into the file. No
  /// effect when the file is open. Errors: `journal_failed`; `disk_full` when there is no room to create it.
  Result<void> open();
  /// Keeps events in memory until the file can be opened: they are lost when the process ends before that. What was
  /// done to issues meanwhile is lost when the journal moves into the file; no event is. No effect when open.
  Result<void> open_memory();
  bool is_open() const noexcept;
  bool in_memory() const noexcept;
  /// What a person should hear about the file, once; usually empty.
  std::string take_notice();
  /// Opens when it is not open, and writes: Ok means that commits can succeed again. Errors as open().
  Result<void> probe();

  struct Fresh {  ///< one event that was new; `event` borrows from the report
    const ErrorEvent* event;
    std::size_t report;
    std::string issue;
  };
  struct Committed {
    std::vector<report::ReportReply> replies;  ///< one a report
    std::vector<Fresh> fresh;
    Counts counted;  ///< what was added to the counts
  };
  /// Takes all events of all reports in one transaction. Errors: `journal_failed` (nothing was taken).
  Result<Committed> commit(std::span<const std::vector<ErrorEvent>* const> reports);

  // ---- relay
  struct Batch {
    std::vector<ErrorEvent> events;
    std::size_t bytes = 0;
    std::uint64_t last_seq = 0;  ///< everything up to here is in the batch, or need not be forwarded
    std::uint64_t opening = 0;   ///< which opening of the file it was read from
    bool empty() const noexcept { return scanned == 0; }
    std::size_t scanned = 0;
  };
  /// The oldest events that wait, in order: at most `events_max`, about `bytes_max`. Errors: `journal_failed`.
  Result<Batch> waiting(std::size_t events_max, std::size_t bytes_max);
  /// The hub has them. When this cannot be written they are sent once more after a restart; the hub drops them by id.
  void relayed(const Batch& batch) noexcept;
  std::uint64_t waiting_events() const noexcept;
  std::uint64_t waiting_bytes() const noexcept;
  /// When the oldest event that waits was received; 0: none waits.
  std::int64_t waiting_since_us();

  // ---- questions. Errors: `journal_failed`, and what is said.
  Result<EventsReply> events(const EventsRequest& request);  ///< `bad_value`
  Result<std::vector<Issue>> issues(const IssuesRequest& request);
  Result<IssueReply> issue(const std::string& id);  ///< `unknown_issue`
  Result<Issue> act(Action action, const IssueAction& by);
  Result<std::array<std::uint64_t, kIssueStates>> issue_states();
  /// Writes down what the passing of time did to issues, some a call. Errors: `journal_failed`.
  Result<void> settle_issues();
  const Counts& counts() const noexcept;  ///< since the journal was made
  std::uint64_t events_total() const noexcept;
  std::uint64_t events_kept() const noexcept;
  std::uint64_t bytes() const noexcept;  ///< of the file and its log

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::errorbus
