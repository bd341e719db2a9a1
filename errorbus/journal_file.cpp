// Opening and closing the journal's file, and the journal in memory while there is no file.
#include "errorbus/journal_impl.hpp"

namespace weft::errorbus {
namespace {

using store::Rows;
using store::Statement;
using store::Table;

constexpr std::uint64_t kMemoryBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kMoveAtOnce = 512;  ///< events of a transaction when the journal moves from memory to its file

constexpr const char* kTables = R"(
  CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, time_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL, severity INTEGER NOT NULL, host TEXT NOT NULL, agent TEXT NOT NULL,
    code TEXT NOT NULL, issue TEXT NOT NULL, body BLOB NOT NULL, crc INTEGER);
  CREATE TABLE IF NOT EXISTS issues (id TEXT PRIMARY KEY, state INTEGER NOT NULL, last_seen_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS issues_by_time ON issues (last_seen_us);
  CREATE TABLE IF NOT EXISTS counts (host TEXT, agent TEXT, severity INTEGER, code TEXT, events INTEGER NOT NULL,
    crc INTEGER, PRIMARY KEY (host, agent, severity, code)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL, crc INTEGER) WITHOUT ROWID;
)";

struct JournalSchema {
  Table events{
      "events", {"seq", "id", "time_us", "received_us", "severity", "host", "agent", "code", "issue", "body"}, 1, true};
  Table issues{"issues", {"id", "state", "last_seen_us", "due_us", "body"}};
  Table counts{"counts", {"host", "agent", "severity", "code", "events"}, 4};
  Table marks{"marks", {"name", "value"}};
  store::Schema all{2, kTables, {events, issues, counts, marks}};  // 1 had no checksums
};
const JournalSchema& schema() {
  static const JournalSchema kSchema;
  return kSchema;
}

/// A row that was damaged while the file was open has none, and is read as one that cannot be decoded.
std::string body_of(const Table& table) { return "CASE WHEN " + table.is_whole() + " THEN body ELSE x'' END"; }

/// Returns the page size.
std::uint64_t prepare(store::Database& database, std::uint64_t bytes_max) {
  database.run("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4096");
  const auto page = static_cast<std::uint64_t>(database.number("PRAGMA page_size"));
  database.run("PRAGMA max_page_count=" + std::to_string(std::max<std::uint64_t>(bytes_max / page, 64)));
  return page;
}

std::string select_events(const char* rest) {
  return "SELECT seq, received_us, issue, time_us, severity, host, agent, code, " + body_of(schema().events) +
         " FROM events " + rest;
}
std::string select_issues(const char* rest) { return "SELECT " + body_of(schema().issues) + " FROM issues " + rest; }

}  // namespace

JournalFile::JournalFile(std::unique_ptr<store::Database> opened, std::uint64_t limit)
    : handle(std::move(opened)),
      database(*handle),
      bytes_max(limit),
      page_bytes(prepare(database, bytes_max)),
      insert_event(database, schema().events.insert() + " ON CONFLICT (id) DO NOTHING"),
      delete_events(database, "DELETE FROM events WHERE seq <= ?"),
      find_issue(database, select_issues("WHERE id = ?")),
      write_issue(database, schema().issues.insert("OR REPLACE")),
      drop_issues(database, "DELETE FROM issues WHERE id IN (SELECT id FROM issues ORDER BY last_seen_us LIMIT ?)"),
      add_count(database, schema().counts.insert() +
                              " ON CONFLICT DO UPDATE SET events = events + excluded.events, "
                              "crc = row_sum(host, agent, severity, code, events + excluded.events)"),
      write_mark(database, schema().marks.insert("OR REPLACE")),
      waiting(database,
              "SELECT seq, severity, " + body_of(schema().events) + " FROM events WHERE seq > ? ORDER BY seq"),
      waiting_since(database, "SELECT received_us FROM events WHERE seq > ? AND severity >= ? ORDER BY seq LIMIT 1"),
      newer(database, select_events("WHERE seq > ? ORDER BY seq")),
      older(database, select_events("WHERE seq < ? ORDER BY seq DESC")),
      find_event(database, select_events("WHERE id = ?")),
      all_issues(database, select_issues("ORDER BY last_seen_us DESC")),
      due_issues(database, select_issues("WHERE due_us <= ? LIMIT 256")),
      issue_states(database, "SELECT state, count(*) FROM issues GROUP BY state"),
      page_count(database, "PRAGMA page_count"),
      free_pages(database, "PRAGMA freelist_count") {}

Result<void> Journal::Impl::open() {
  if (file_ && !in_memory_) return {};
  const auto durability = options_.fsync ? store::Durability::fsync : store::Durability::os;
  try {
    auto opened = store::open_database(options_.file, schema().all, durability, clock_.wall(), suspect_);
    if (!opened.notice.empty()) notice_ = "the journal " + opened.notice;
    suspect_ = false;
    auto fresh = std::make_unique<JournalFile>(std::move(opened.database), options_.bytes_max);
    if (in_memory_) return move_to(std::move(fresh));
    file_ = std::move(fresh);
    load();
    return {};
  } catch (const SqlFailure& failure) {
    if (!in_memory_) return failed("open it", failure);
    suspect_ = failure.damaged();
    return failure.error("cannot open it (journal " + options_.file + ")", codes::journal_failed);
  }
}

Result<void> Journal::Impl::open_memory() {
  if (file_) return {};
  try {
    file_ = std::make_unique<JournalFile>(store::open_memory_database(schema().all),
                                          std::min(options_.bytes_max, kMemoryBytesMax));
    in_memory_ = true;
    load();
    return {};
  } catch (const SqlFailure& failure) {
    file_.reset();
    in_memory_ = false;
    return failure.error("the error journal in memory", codes::journal_failed);
  }
}

/// Events go from memory to the file in order, by their ids once; when that fails the journal stays in memory. Whether
/// the hub has them is not carried over: it drops those that it has.
Result<void> Journal::Impl::move_to(std::unique_ptr<JournalFile> fresh) {
  std::vector<ErrorEvent> events;
  {
    Rows rows(file_->newer.bind(1, std::int64_t{0}));
    while (rows.next()) {
      if (auto event = from_body<ErrorEvent>(file_->newer.blob(8))) events.push_back(std::move(*event));
    }
  }
  auto memory = std::exchange(file_, std::move(fresh));
  in_memory_ = false;
  auto moved = guarded("read it", [this]() -> Result<void> {
    load();
    return {};
  });
  for (std::size_t from = 0; moved && from < events.size(); from += kMoveAtOnce) {
    const auto count = std::min(kMoveAtOnce, events.size() - from);
    const std::vector<ErrorEvent> part(events.begin() + static_cast<std::ptrdiff_t>(from),
                                       events.begin() + static_cast<std::ptrdiff_t>(from + count));
    const std::vector<ErrorEvent>* reports[] = {&part};
    if (auto written = write_reports(reports); !written) moved = written.error();
  }
  if (moved) return moved;
  file_ = std::move(memory);
  in_memory_ = true;
  load();
  return moved;
}

void Journal::Impl::load() {
  Counts counted;
  std::uint64_t sum = 0;
  Statement rows(file_->database, "SELECT host, agent, severity, code, events FROM counts");
  while (rows.step()) {
    const auto events = static_cast<std::uint64_t>(rows.integer(4));
    counted[{rows.text(0), rows.text(1), static_cast<Severity>(rows.integer(2)), rows.text(3)}] = events;
    sum += events;
  }
  const auto number = [&](const char* sql) { return static_cast<std::uint64_t>(file_->database.number(sql)); };
  ++openings_;
  counts_ = std::move(counted);
  total_ = sum;
  issue_count_ = number("SELECT count(*) FROM issues");
  relayed_seq_ = number("SELECT value FROM marks WHERE name = 'relayed'");
  const auto newest = number("SELECT max(seq) FROM events");
  first_seq_ = newest == 0 ? relayed_seq_ + 1 : number("SELECT min(seq) FROM events");
  next_seq_ = std::max(newest, relayed_seq_) + 1;
  Statement waits(file_->database,
                  "SELECT count(*), coalesce(sum(length(body)), 0) FROM events WHERE seq > ? AND severity >= ?");
  waits.bind(1, static_cast<std::int64_t>(relayed_seq_)).bind(2, static_cast<std::int64_t>(forward_));
  waits.step();
  waiting_events_ = relays_ ? static_cast<std::uint64_t>(waits.integer(0)) : 0;
  waiting_bytes_ = relays_ ? static_cast<std::uint64_t>(waits.integer(1)) : 0;
}

Error Journal::Impl::failed(const std::string& doing, const SqlFailure& failure) {
  const std::string subject = "cannot " + doing + " (journal " + options_.file + ")";
  if (failure.disk_full() && file_) {
    return Error(codes::journal_failed, subject + ": " + failure.text,
                 "free some room; the bus then continues by itself");
  }
  suspect_ = failure.damaged();
  if (file_ && suspect_) file_->database.trust(false);
  file_.reset();  // opening it again finds out what is left of it, and replaces it when it is damaged
  in_memory_ = false;
  return failure.error(subject, codes::journal_failed);
}

std::uint64_t Journal::Impl::bytes_used() {
  Rows pages(file_->page_count);
  Rows free(file_->free_pages);
  if (!pages.next() || !free.next()) return 0;
  return static_cast<std::uint64_t>(file_->page_count.integer(0) - file_->free_pages.integer(0)) * file_->page_bytes;
}

Journal::Journal(const Clock& clock, JournalOptions options, bool relays, Severity forward)
    : impl_(std::make_unique<Impl>(clock, std::move(options), relays, forward)) {}
Journal::~Journal() = default;

Result<void> Journal::open() { return impl_->open(); }
Result<void> Journal::open_memory() { return impl_->open_memory(); }
bool Journal::is_open() const noexcept { return impl_->file_ != nullptr; }
bool Journal::in_memory() const noexcept { return impl_->in_memory_; }
std::string Journal::take_notice() { return std::exchange(impl_->notice_, {}); }

Result<void> Journal::probe() {
  const auto write = [this] {
    return impl_->guarded("write to it", [this]() -> Result<void> {
      impl_->file_->write_mark.bind(1, "probed").bind(2, impl_->now_us()).run();
      return {};
    });
  };
  if (auto opened = impl_->open(); !opened) return opened;
  auto written = write();
  if (written || is_open()) return written;
  if (auto opened = impl_->open(); !opened) return opened;  // it was damaged: a new one may be in its place now
  return write();
}

}  // namespace weft::errorbus
