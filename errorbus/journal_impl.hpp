// The inside of the journal, shared by the file that writes and the file that answers questions.
#pragma once
#include "errorbus/journal.hpp"
#include "weft/store/database_file.hpp"

namespace weft::errorbus {

namespace detail {
template <class T>
struct Flat {
  using type = Result<T>;
};
template <class T>
struct Flat<Result<T>> {
  using type = Result<T>;
};
}  // namespace detail

using store::SqlFailure;

/// The open database, in a file or in memory, and its prepared statements.
struct JournalFile {
  std::unique_ptr<store::Database> handle;
  store::Database& database;
  std::uint64_t bytes_max, page_bytes;
  store::Statement insert_event, delete_events, find_issue, write_issue, drop_issues, add_count, write_mark, waiting,
      waiting_since, newer, older, find_event, all_issues, due_issues, issue_states, page_count, free_pages;
  /// Prepares everything; the database keeps at most `limit` bytes. Throws SqlFailure.
  JournalFile(std::unique_ptr<store::Database> opened, std::uint64_t limit);
};

struct Journal::Impl {
  Impl(const Clock& clock, JournalOptions options, bool relays, Severity forward)
      : clock_(clock), options_(std::move(options)), relays_(relays), forward_(forward) {}

  const Clock& clock_;
  JournalOptions options_;
  bool relays_;
  Severity forward_;
  std::unique_ptr<JournalFile> file_;
  bool in_memory_ = false;  ///< `file` is a database in memory
  bool suspect_ = false;    ///< the file was found to be damaged while it was open
  std::string notice_;
  // What the file holds, kept beside it; changes only after a commit succeeded.
  Counts counts_;
  std::uint64_t total_ = 0, first_seq_ = 1, next_seq_ = 1, relayed_seq_ = 0;
  std::uint64_t waiting_events_ = 0, waiting_bytes_ = 0, issue_count_ = 0;
  std::uint64_t openings_ = 0;

  /// What one transaction will change of the above.
  struct Stage {
    Committed committed;
    std::map<std::string, Issue> issues;
    std::uint64_t next_seq = 0, first_seq = 0, issues_new = 0, waiting_events = 0, waiting_bytes = 0;
  };

  Result<void> open();
  Result<void> open_memory();
  Result<void> move_to(std::unique_ptr<JournalFile> fresh);
  void load();
  /// Decides what a failure means for the file: keep it open, or close it.
  Error failed(const std::string& doing, const SqlFailure& failure);
  std::int64_t now_us() const { return to_us(clock_.wall()); }
  Error closed() const { return Error(codes::journal_failed, "the journal " + options_.file + " is not open"); }

  Result<Committed> write_reports(std::span<const std::vector<ErrorEvent>* const> reports);
  void take(Stage& stage, const ErrorEvent& event, std::size_t report);
  CountKey count_key(const ErrorEvent& event, const Counts& staged) const;
  Issue& issue_for(Stage& stage, const std::string& id);
  void write(Stage& stage);
  void write_issue(const Issue& issue);
  void prune(Stage& stage, std::uint64_t at_least);
  void make_room() noexcept;
  void adopt(Stage& stage);
  std::uint64_t bytes_used();
  bool waits(const ErrorEvent& event) const { return relays_ && event.severity >= forward_; }

  /// Runs `work`, which returns T or Result<T>, turning what SQLite throws into an Error. `doing` completes "cannot …".
  template <class Work>
  auto guarded(const std::string& doing, Work work) -> typename detail::Flat<decltype(work())>::type {
    if (!file_) return closed();
    try {
      return work();
    } catch (const SqlFailure& failure) {
      return failed(doing, failure);
    }
  }
};

/// Errors: `bad_encoding`, `bad_value`: the row is damaged.
template <class T>
Result<T> from_body(BytesView body) {
  auto value = from_msgpack(body);
  if (!value) return value.error();
  return from_value<T>(*value);
}

}  // namespace weft::errorbus
