// Opening, mending and closing the journal's file.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "errorbus/journal_impl.hpp"
#include "weft/store/store.hpp"

namespace weft::errorbus {
namespace {

constexpr int kSchema = 2;  // 1 had no sums
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

/// Each table, and what the sum of a row is over.
struct Summed {
  const char *table, *sum;
};
constexpr Summed kEvents{"events", "row_sum(seq, id, time_us, received_us, severity, host, agent, code, issue, body)"};
constexpr Summed kIssues{"issues", "row_sum(id, state, last_seen_us, due_us, body)"};
constexpr Summed kCounts{"counts", "row_sum(host, agent, severity, code, events)"};
constexpr Summed kMarks{"marks", "row_sum(name, value)"};

std::string damaged_rows(const Summed& of) { return std::string(" FROM ") + of.table + " WHERE crc IS NOT " + of.sum; }

/// A damaged row has none, and is read as one that cannot be decoded.
std::string body_of(const Summed& rows) {
  return std::string("CASE WHEN crc IS ") + rows.sum + " THEN body ELSE x'' END";
}

void add_sums(Database& database) {
  for (const Summed& each : {kEvents, kIssues, kCounts, kMarks}) {
    const std::string table = each.table;
    database.run(("ALTER TABLE " + table + " ADD COLUMN crc INTEGER").c_str());
    database.run(("UPDATE " + table + " SET crc = " + each.sum).c_str());
  }
}

std::string aside_name(const std::string& file, WallTime now) {
  std::string stamp = to_rfc3339(now).substr(0, 19);
  for (char& c : stamp) c = c == ':' ? '-' : c;
  return file + ".damaged-" + stamp;
}

/// Where a log that cannot be read to its end was copied; empty: it can. Locked, nothing has been written to it yet.
std::string keep_damaged_log(Database& database, const std::string& file, const std::string& aside) {
  database.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;");
  Transaction locked(database);
  if (!store::log_damaged(file + "-wal")) return {};
  std::error_code failed;  // then it is told all the same
  std::filesystem::copy_file(file + "-wal", aside + "-wal", failed);
  return aside + "-wal";
}

/// Makes the database ready for statements; returns its page size. Exclusive: two buses on one file would give one
/// place to two events.
std::uint64_t prepare(Database& database, bool fsync, std::uint64_t bytes_max) {
  database.run("PRAGMA temp_store=MEMORY;");
  database.run("PRAGMA cache_size=-4096; PRAGMA journal_size_limit=16777216;");
  database.run(fsync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  const auto page = static_cast<std::uint64_t>(database.number("PRAGMA page_size"));
  database.run(("PRAGMA max_page_count=" + std::to_string(std::max<std::uint64_t>(bytes_max / page, 64))).c_str());
  const auto version = database.number("PRAGMA user_version");
  if (version > kSchema) throw SqlFailure{0, "it was written by a newer Weft (schema " + std::to_string(version) + ")"};
  Transaction transaction(database);
  if (version == 1) add_sums(database);
  database.run(kTables);
  database.run(("PRAGMA user_version=" + std::to_string(kSchema)).c_str());
  transaction.commit();
  return page;
}

std::string select_events(const char* rest) {
  return "SELECT seq, received_us, issue, time_us, severity, host, agent, code, " + body_of(kEvents) + " FROM events " +
         rest;
}
std::string select_issues(const char* rest) { return "SELECT " + body_of(kIssues) + " FROM issues " + rest; }

/// Creates folder and file before SQLite does, so that only the owner can read them. Errors: as Journal::open().
Result<void> create(const std::string& file) {
  std::error_code failed;
  const auto folder = std::filesystem::path(file).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  const int fd = failed ? -1 : ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return {};
  }
  const std::error_code why = failed ? failed : std::error_code(errno, std::generic_category());
  const bool full = why == std::errc::no_space_on_device;
  return Error(full ? codes::disk_full : codes::journal_failed,
               "cannot create the journal " + file + ": " + why.message(),
               full ? "free some room; the bus goes on by itself" : "check state.directory, its owner and its mode");
}

}  // namespace

JournalFile::JournalFile(const std::string& file, bool fsync, std::uint64_t bytes_max, const std::string& aside)
    : database(file),
      lost_log(keep_damaged_log(database, file, aside)),
      page_bytes(prepare(database, fsync, bytes_max)),
      insert_event(database,
                   "INSERT INTO events (seq, id, time_us, received_us, severity, host, agent, code, issue, body, crc) "
                   "VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10, row_sum(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)) "
                   "ON CONFLICT (id) DO NOTHING"),
      delete_events(database, "DELETE FROM events WHERE seq <= ?"),
      find_issue(database, select_issues("WHERE id = ?").c_str()),
      write_issue(database,
                  "INSERT OR REPLACE INTO issues (id, state, last_seen_us, due_us, body, crc) "
                  "VALUES (?1,?2,?3,?4,?5, row_sum(?1,?2,?3,?4,?5))"),
      drop_issues(database, "DELETE FROM issues WHERE id IN (SELECT id FROM issues ORDER BY last_seen_us LIMIT ?)"),
      add_count(database,
                "INSERT INTO counts (host, agent, severity, code, events, crc) "
                "VALUES (?1,?2,?3,?4,?5, row_sum(?1,?2,?3,?4,?5)) "
                "ON CONFLICT DO UPDATE SET events = events + excluded.events, "
                "crc = row_sum(host, agent, severity, code, events + excluded.events)"),
      write_mark(database, "INSERT OR REPLACE INTO marks (name, value, crc) VALUES (?1,?2, row_sum(?1,?2))"),
      waiting(database,
              ("SELECT seq, severity, " + body_of(kEvents) + " FROM events WHERE seq > ? ORDER BY seq").c_str()),
      waiting_since(database, "SELECT received_us FROM events WHERE seq > ? AND severity >= ? ORDER BY seq LIMIT 1"),
      newer(database, select_events("WHERE seq > ? ORDER BY seq").c_str()),
      older(database, select_events("WHERE seq < ? ORDER BY seq DESC").c_str()),
      find_event(database, select_events("WHERE id = ?").c_str()),
      all_issues(database, select_issues("ORDER BY last_seen_us DESC").c_str()),
      due_issues(database, select_issues("WHERE due_us <= ? LIMIT 256").c_str()),
      issue_states(database, "SELECT state, count(*) FROM issues GROUP BY state"),
      page_count(database, "PRAGMA page_count"),
      free_pages(database, "PRAGMA freelist_count") {}

Result<void> Journal::Impl::open() {
  if (file) return {};
  for (int attempt = 0;; ++attempt) {
    if (auto created = create(options.file); !created) return created;
    try {
      file = std::make_unique<JournalFile>(options.file, options.fsync, options.bytes_max,
                                           aside_name(options.file, clock.wall()));
      if (!file->lost_log.empty()) notice = "the log of the journal was damaged; it is kept as " + file->lost_log;
      check();
      load();
      return {};
    } catch (const SqlFailure& failure) {
      Error error = failed("open it", failure);
      file.reset();
      if (!failure.damaged() || attempt > 0) return error;
    }
  }
}

/// Reads all. What is not as it was written is told, and not given on: events and issues stay in the file; counts begin
/// anew; without its mark the relay sends again what the hub knows by its ids.
void Journal::Impl::check() {
  std::string found;
  for (const Summed& each : {kEvents, kIssues, kCounts, kMarks}) {
    const auto rows = file->database.number(("SELECT count(*)" + damaged_rows(each)).c_str());
    if (rows > 0) found += (found.empty() ? "" : ", ") + std::to_string(rows) + " of its " + each.table;
  }
  if (found.empty()) return;
  for (const Summed& each : {kCounts, kMarks}) file->database.run(("DELETE" + damaged_rows(each)).c_str());
  notice += (notice.empty() ? "" : "; ") +
            ("the journal " + options.file + " holds damaged rows, which are not given on: ") + found;
}

void Journal::Impl::load() {
  Counts counted;
  std::uint64_t sum = 0;
  Statement rows(file->database, "SELECT host, agent, severity, code, events FROM counts");
  while (rows.step()) {
    const auto events = static_cast<std::uint64_t>(rows.integer(4));
    counted[{rows.text(0), rows.text(1), static_cast<Severity>(rows.integer(2)), rows.text(3)}] = events;
    sum += events;
  }
  const auto number = [&](const char* sql) { return static_cast<std::uint64_t>(file->database.number(sql)); };
  ++openings;
  counts = std::move(counted);
  total = sum;
  issue_count = number("SELECT count(*) FROM issues");
  relayed_seq = number("SELECT value FROM marks WHERE name = 'relayed'");
  const auto newest = number("SELECT max(seq) FROM events");
  first_seq = newest == 0 ? relayed_seq + 1 : number("SELECT min(seq) FROM events");
  next_seq = std::max(newest, relayed_seq) + 1;
  Statement waits(file->database,
                  "SELECT count(*), coalesce(sum(length(body)), 0) FROM events WHERE seq > ? AND severity >= ?");
  waits.bind(1, static_cast<std::int64_t>(relayed_seq)).bind(2, static_cast<std::int64_t>(forward));
  waits.step();
  waiting_events = relays ? static_cast<std::uint64_t>(waits.integer(0)) : 0;
  waiting_bytes = relays ? static_cast<std::uint64_t>(waits.integer(1)) : 0;
}

Error Journal::Impl::failed(const std::string& doing, const SqlFailure& failure) {
  const std::string text = "cannot " + doing + " (journal " + options.file + "): " + failure.text;
  if (failure.damaged()) {
    move_aside(failure.text);
    return Error(codes::journal_failed, text, "the damaged file was moved aside, a new one is begun");
  }
  if (failure.disk_full()) return Error(codes::journal_failed, text, "free some room; the bus goes on by itself");
  file.reset();  // whatever it was, opening anew finds out what is left of it
  return Error(codes::journal_failed, text, "check the disk and the owner of the file");
}

void Journal::Impl::move_aside(const std::string& why) {
  file.reset();
  const std::string aside = aside_name(options.file, clock.wall());
  for (const char* part : {"", "-wal", "-shm"}) {
    std::error_code absent;  // the log files need not be there
    std::filesystem::rename(options.file + part, aside + part, absent);
  }
  notice = "the journal " + options.file + " was damaged (" + why + ") and moved to " + aside +
           "; what it held is only there now";
}

std::uint64_t Journal::Impl::bytes_used() {
  Rows pages(file->page_count);
  Rows free(file->free_pages);
  if (!pages.next() || !free.next()) return 0;
  return static_cast<std::uint64_t>(file->page_count.integer(0) - file->free_pages.integer(0)) * file->page_bytes;
}

Journal::Journal(const Clock& clock, JournalOptions options, bool relays, Severity forward)
    : impl_(std::make_unique<Impl>(clock, std::move(options), relays, forward)) {}
Journal::~Journal() = default;

Result<void> Journal::open() { return impl_->open(); }
bool Journal::is_open() const noexcept { return impl_->file != nullptr; }
std::string Journal::take_notice() { return std::exchange(impl_->notice, {}); }

Result<void> Journal::probe() {
  if (auto opened = impl_->open(); !opened) return opened;
  return impl_->guarded("write to it", [this]() -> Result<void> {
    impl_->file->write_mark.bind(1, "probed").bind(2, impl_->now_us()).run();
    return {};
  });
}

}  // namespace weft::errorbus
