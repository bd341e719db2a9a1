// The door of errorbus: what its methods take and answer, and the bus itself. The bus journals before it acknowledges,
// groups events into issues, forwards to the hub and counts. `errorbus.report` is described in mesh/reporter.hpp.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/observe/observe.hpp"
#include "weft/peer/peer.hpp"
#include "weft/report/reporter.hpp"

namespace weft::errorbus {

/// An event as it lies in the journal.
struct StoredEvent {
  std::uint64_t seq = 0;         ///< place in this bus's journal; grows
  std::int64_t received_us = 0;  ///< wall time of this bus
  std::string issue;             ///< fingerprint: "v2:" or "v1:" and 16 hex digits
  ErrorEvent event;
  WEFT_FIELDS(StoredEvent, seq, received_us, issue, event)
};

/// `errorbus.events`: EventsRequest -> EventsReply. Empty filters match all. Errors: `bad_value`, `journal_failed`.
struct EventsRequest {
  std::int64_t since_us = 0;  ///< event time, inclusive
  std::int64_t until_us = 0;  ///< event time, exclusive; 0: open
  std::string host, agent, code, issue;
  Severity severity = Severity::info;  ///< this or worse
  std::uint64_t limit = 100;           ///< 1 to 1000
  std::uint64_t after = 0;             ///< continue behind this place of the journal: EventsReply::next
  bool oldest_first = false;
  WEFT_FIELDS(EventsRequest, since_us, until_us, host, agent, code, issue, severity, limit, after, oldest_first)
};
struct EventsReply {
  std::vector<StoredEvent> events;
  std::uint64_t next = 0;  ///< for `after`
  bool more = false;       ///< asking again with `after = next` may find more
  WEFT_FIELDS(EventsReply, events, next, more)
};

enum class IssueState : std::uint8_t { fresh, ongoing, regressed, acknowledged, archived, resolved };
inline constexpr std::size_t kIssueStates = 6;
/// "new", "ongoing", …
std::string_view to_string(IssueState state) noexcept;
Result<IssueState> from_text(std::string_view name, std::type_identity<IssueState>);

/// What has one cause, as far as the bus can tell: all events with one fingerprint.
struct Issue {
  std::string id;  ///< the fingerprint
  IssueState state = IssueState::fresh;
  Severity severity = Severity::info;   ///< the worst seen
  std::string code, category, message;  ///< of the first event
  std::string text;                     ///< of the newest event, its values put in; at most 1 KiB
  std::uint64_t count = 0;              ///< exact
  std::int64_t first_seen_us = 0, last_seen_us = 0;
  std::vector<std::string> hosts, agents;  ///< seen on; at most 64 each
  std::string version;                     ///< of the newest event
  std::string first_event, last_event;     ///< ids
  std::string resolved_in;                 ///< version; empty: in every version
  std::string who, why;                    ///< of the last action
  std::int64_t changed_us = 0;             ///< when `state` last changed
  std::int64_t until_us = 0;               ///< acknowledged or archived until then; 0: until somebody acts
  WEFT_FIELDS(Issue, id, state, severity, code, category, message, text, count, first_seen_us, last_seen_us, hosts,
              agents, version, first_event, last_event, resolved_in, who, why, changed_us, until_us)
  friend bool operator==(const Issue&, const Issue&) = default;
};

/// `errorbus.issues`: IssuesRequest -> IssuesReply, last seen first. Errors: `bad_value`, `journal_failed`.
struct IssuesRequest {
  std::string state;  ///< empty: all
  std::uint64_t limit = 100;
  WEFT_FIELDS(IssuesRequest, state, limit)
};
struct IssuesReply {
  std::vector<Issue> issues;
  WEFT_FIELDS(IssuesReply, issues)
};

/// `errorbus.issue`: IssueRequest -> IssueReply. Errors: `unknown_issue`.
struct IssueRequest {
  std::string id;
  WEFT_FIELDS(IssueRequest, id)
};
struct IssueReply {
  Issue issue;
  std::vector<StoredEvent> events;  ///< its first and its last one, where the journal still has them
  WEFT_FIELDS(IssueReply, issue, events)
};

/// `errorbus.ack`, `errorbus.resolve`, `errorbus.archive`, `errorbus.reopen`: IssueAction -> Issue. Errors:
/// `unknown_issue`, `bad_value` (no `who`, or not possible in its state: the text says what is).
struct IssueAction {
  std::string id, who, why;
  std::string version;        ///< resolve: fixed in this version
  std::int64_t until_us = 0;  ///< ack, archive: wall time; 0: until somebody acts
  WEFT_FIELDS(IssueAction, id, who, why, version, until_us)
};

/// `errorbus.stats`: null -> Stats.
struct Stats {
  std::string host, hub;            ///< hub empty: this bus is the hub
  std::uint64_t events_total = 0;   ///< ever journaled here
  std::uint64_t events_kept = 0;    ///< in the journal now
  std::uint64_t duplicates = 0;     ///< since the start of the process
  std::uint64_t relay_pending = 0;  ///< journaled, not yet acknowledged by the hub
  std::string relay_error;          ///< why the last attempt failed; empty: it did not
  std::uint64_t journal_bytes = 0;
  std::string journal_error;  ///< empty: it works
  WEFT_FIELDS(Stats, host, hub, events_total, events_kept, duplicates, relay_pending, relay_error, journal_bytes,
              journal_error)
};

struct JournalOptions {
  std::string file;
  bool fsync = false;                               ///< true: what is acknowledged survives a power cut too
  std::uint64_t events_max = 200'000;               ///< kept at most; the oldest go first, but only when forwarded
  std::uint64_t pending_max = 1'000'000;            ///< not yet forwarded; at the limit reports are refused
  std::uint64_t bytes_max = 1024ULL * 1024 * 1024;  ///< of the file; at the limit reports are refused
  std::uint64_t issues_max = 10'000;                ///< those not seen for longest go first
  std::uint64_t series_max = 2'000;                 ///< sets of (host, agent, severity, code) counted apart
};

struct Options {
  std::string host;
  std::string version;
  JournalOptions journal;
  std::string hub;                        ///< call endpoint; empty: this bus is the hub
  Severity forward = Severity::info;      ///< events below stay here
  Duration commit_delay = 2ms;            ///< reports that come within it share one transaction
  std::uint64_t live_per_second = 1'000;  ///< events published live; more are counted and left out
};

/// Loop-bound. Borrows all that its constructor takes.
class ErrorBus final : public ErrorSink {
 public:
  ErrorBus(Loop& loop, peer::Peer& peer, Options options, observe::Metrics& metrics, observe::Log& log,
           observe::Health& health);
  ~ErrorBus() override;

  /// Opens the journal and serves. A full disk is waited for, and reports are refused meanwhile. When anything else
  /// keeps the journal from opening, errors are kept in memory until it can be opened; health, stats() and an event say
  /// so.
  void start();
  /// Called when the journal stops or begins to work, with what is wrong, or "". May be empty; set it before start().
  std::function<void(const std::string& error)> on_journal;
  /// Resolves when the events are in the journal. Errors: `bad_event`, `journal_failed`.
  Task<Result<report::ReportReply>> report(report::ReportRequest request);
  /// An error of the bus itself: straight into its own journal.
  void report(ErrorEvent event) noexcept override;
  Stats stats() const;
  /// Journals what is waiting; call before the process ends.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::errorbus
