// The journal's writes: reports in one transaction, retention, the relay's place.
#include "errorbus/journal.hpp"

#include <sys/stat.h>

#include "errorbus/journal_impl.hpp"
#include "weft/report/grouping.hpp"

namespace weft::errorbus {
namespace {

constexpr std::uint64_t kPruneStep = 512;
constexpr std::size_t kRelayScanMax = 20'000;  ///< rows looked at in one turn of the loop
constexpr std::string_view kOverflow = "_overflow";

std::int64_t due_us(const Issue& issue) {
  if (issue.until_us > 0) return issue.until_us;
  const bool young = issue.state == IssueState::fresh || issue.state == IssueState::regressed;
  return young ? issue.changed_us + kFreshUs : INT64_MAX;
}

std::uint64_t size_on_disk(const std::string& file) noexcept {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace

Result<Journal::Committed> Journal::commit(std::span<const std::vector<ErrorEvent>* const> reports) {
  Impl& self = *impl_;
  if (self.waiting_events_ >= self.options_.pending_max) {
    return Error(codes::journal_failed,
                 std::to_string(self.waiting_events_) + " events wait for the hub, at most " +
                     std::to_string(self.options_.pending_max) + " may",
                 "bring the hub or the network to it back; reports are kept by those who made them");
  }
  auto committed = self.write_reports(reports);
  if (!committed && self.file_) self.make_room();
  return committed;
}

Result<Journal::Committed> Journal::Impl::write_reports(std::span<const std::vector<ErrorEvent>* const> reports) {
  return guarded("write events", [&] {
    if (file_->database.moved()) throw SqlFailure{0, "the file was removed or replaced"};
    Stage stage;
    stage.next_seq = next_seq_;
    stage.first_seq = first_seq_;
    stage.committed.replies.resize(reports.size());
    store::Transaction transaction(file_->database);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      for (const ErrorEvent& event : *reports[i]) take(stage, event, i);
    }
    write(stage);
    prune(stage, 0);
    transaction.commit();
    adopt(stage);
    return std::move(stage.committed);
  });
}

void Journal::Impl::take(Stage& stage, const ErrorEvent& event, std::size_t report) {
  const Bytes body = to_msgpack(to_value(event));
  std::string id = report::fingerprint_of(event);
  file_->insert_event.bind(1, static_cast<std::int64_t>(stage.next_seq))
      .bind(2, std::as_bytes(std::span(event.id.bytes)))
      .bind(3, event.time_us)
      .bind(4, now_us())
      .bind(5, static_cast<std::int64_t>(event.severity))
      .bind(6, event.host)
      .bind(7, event.agent)
      .bind(8, event.code)
      .bind(9, id)
      .bind(10, BytesView(body));
  file_->insert_event.run();
  if (file_->database.changes() == 0) {
    ++stage.committed.replies[report].duplicates;
    return;
  }
  ++stage.next_seq;
  ++stage.committed.replies[report].accepted;
  stage.committed.counted[count_key(event, stage.committed.counted)] += 1 + event.repeated;
  count_event(issue_for(stage, id), event, now_us());
  if (waits(event)) {
    ++stage.waiting_events;
    stage.waiting_bytes += body.size();
  }
  stage.committed.fresh.push_back({&event, report, std::move(id)});
}

CountKey Journal::Impl::count_key(const ErrorEvent& event, const Counts& staged) const {
  CountKey key{event.host, event.agent, event.severity, event.code};
  if (counts_.contains(key) || staged.contains(key) || counts_.size() + staged.size() < options_.series_max) return key;
  return {std::string(kOverflow), std::string(kOverflow), event.severity, std::string(kOverflow)};
}

Issue& Journal::Impl::issue_for(Stage& stage, const std::string& id) {
  if (const auto known = stage.issues.find(id); known != stage.issues.end()) return known->second;
  Issue& issue = stage.issues[id];
  store::Rows rows(file_->find_issue.bind(1, id));
  if (rows.next()) {
    if (auto read = from_body<Issue>(file_->find_issue.blob(0))) issue = std::move(*read);
  } else {
    ++stage.issues_new;
  }
  issue.id = id;
  return issue;
}

void Journal::Impl::write_issue(const Issue& issue) {
  const Bytes body = to_msgpack(to_value(issue));
  file_->write_issue.bind(1, issue.id)
      .bind(2, static_cast<std::int64_t>(issue.state))
      .bind(3, issue.last_seen_us)
      .bind(4, due_us(issue))
      .bind(5, BytesView(body));
  file_->write_issue.run();
}

void Journal::Impl::write(Stage& stage) {
  for (const auto& [id, issue] : stage.issues) write_issue(issue);
  if (const auto issues = issue_count_ + stage.issues_new; issues > options_.issues_max) {
    file_->drop_issues.bind(1, static_cast<std::int64_t>(issues - options_.issues_max)).run();
    stage.issues_new = options_.issues_max - std::min(issue_count_, options_.issues_max);
  }
  for (const auto& [key, events] : stage.committed.counted) {
    file_->add_count.bind(1, key.host)
        .bind(2, key.agent)
        .bind(3, static_cast<std::int64_t>(key.severity))
        .bind(4, key.code)
        .bind(5, static_cast<std::int64_t>(events));
    file_->add_count.run();
  }
}

/// Deletes the oldest events beyond the limits, `at_least` so many, a bounded number a time; none that still waits for
/// the hub.
void Journal::Impl::prune(Stage& stage, std::uint64_t at_least) {
  const auto kept = stage.next_seq - stage.first_seq;
  auto excess = std::max(at_least, kept > options_.events_max ? kept - options_.events_max : 0);
  if (bytes_used() > file_->bytes_max / 10 * 9) excess = std::max(excess, kPruneStep);
  excess = std::min({excess, kept, kPruneStep + 2 * stage.committed.fresh.size()});
  auto last = stage.first_seq + excess - 1;
  if (relays_) last = std::min(last, relayed_seq_);
  if (excess == 0 || last < stage.first_seq) return;
  file_->delete_events.bind(1, static_cast<std::int64_t>(last)).run();
  stage.first_seq = last + 1;
}

/// After a commit failed for want of room: what may go, goes, so that the next one succeeds.
void Journal::Impl::make_room() noexcept {
  try {
    if (bytes_used() < file_->bytes_max / 2) return;
    Stage stage;
    stage.next_seq = next_seq_;
    stage.first_seq = first_seq_;
    store::Transaction transaction(file_->database);
    prune(stage, kPruneStep);
    transaction.commit();
    first_seq_ = stage.first_seq;
  } catch (const SqlFailure&) {  // there is no room for this either: the next commit tries again
  }
}

void Journal::Impl::adopt(Stage& stage) {
  for (const auto& [key, events] : stage.committed.counted) {
    counts_[key] += events;
    total_ += events;
  }
  next_seq_ = stage.next_seq;
  first_seq_ = stage.first_seq;
  issue_count_ += stage.issues_new;
  waiting_events_ += stage.waiting_events;
  waiting_bytes_ += stage.waiting_bytes;
}

Result<Journal::Batch> Journal::waiting(std::size_t events_max, std::size_t bytes_max) {
  Impl& self = *impl_;
  return self.guarded("read events", [&] {
    Batch batch;
    batch.last_seq = self.relayed_seq_;
    batch.opening = self.openings_;
    store::Statement& row = self.file_->waiting.bind(1, static_cast<std::int64_t>(self.relayed_seq_));
    store::Rows rows(row);
    while (batch.events.size() < events_max && batch.bytes < bytes_max && batch.scanned < kRelayScanMax &&
           rows.next()) {
      ++batch.scanned;
      batch.last_seq = static_cast<std::uint64_t>(row.integer(0));
      if (row.integer(1) < static_cast<std::int64_t>(self.forward_)) continue;
      batch.bytes += row.blob(2).size();
      auto event = from_body<ErrorEvent>(row.blob(2));
      if (event) {
        batch.events.push_back(std::move(*event));
      } else {
        self.notice_ = "an event of the journal cannot be read and is not forwarded: " + event.error().message;
      }
    }
    return batch;
  });
}

void Journal::relayed(const Batch& batch) noexcept {
  Impl& self = *impl_;
  if (batch.opening != self.openings_) return;  // another file may lie there now: its events are sent once more
  self.relayed_seq_ = std::max(self.relayed_seq_, batch.last_seq);
  self.waiting_events_ -= std::min<std::uint64_t>(self.waiting_events_, batch.events.size());
  self.waiting_bytes_ -= std::min<std::uint64_t>(self.waiting_bytes_, batch.bytes);
  auto written = self.guarded("write the relay's place", [&]() -> Result<void> {
    self.file_->write_mark.bind(1, "relayed").bind(2, static_cast<std::int64_t>(self.relayed_seq_)).run();
    return {};
  });
  if (!written) self.notice_ = written.error().message;
}

std::uint64_t Journal::waiting_events() const noexcept { return impl_->waiting_events_; }
std::uint64_t Journal::waiting_bytes() const noexcept { return impl_->waiting_bytes_; }
const Counts& Journal::counts() const noexcept { return impl_->counts_; }
std::uint64_t Journal::events_total() const noexcept { return impl_->total_; }
std::uint64_t Journal::events_kept() const noexcept { return impl_->next_seq_ - impl_->first_seq_; }
std::uint64_t Journal::bytes() const noexcept {
  return size_on_disk(impl_->options_.file) + size_on_disk(impl_->options_.file + "-wal");
}

}  // namespace weft::errorbus
