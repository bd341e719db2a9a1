// Opening, mending and closing the journal's file.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>

#include "errorbus/journal_impl.hpp"

namespace weft::errorbus {
namespace {

constexpr int kSchema = 1;
constexpr const char* kTables = R"(
  CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, time_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL, severity INTEGER NOT NULL, host TEXT NOT NULL, agent TEXT NOT NULL,
    code TEXT NOT NULL, issue TEXT NOT NULL, body BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS issues (id TEXT PRIMARY KEY, state INTEGER NOT NULL, last_seen_us INTEGER NOT NULL,
    due_us INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS issues_by_time ON issues (last_seen_us);
  CREATE TABLE IF NOT EXISTS counts (host TEXT, agent TEXT, severity INTEGER, code TEXT, events INTEGER NOT NULL,
    PRIMARY KEY (host, agent, severity, code)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
)";

/// Makes the database ready for statements; returns its page size. Exclusive: two buses on one file would give one
/// place to two events.
std::uint64_t prepare(Database& database, bool fsync, std::uint64_t bytes_max) {
  database.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA temp_store=MEMORY;");
  database.run("PRAGMA cache_size=-4096; PRAGMA journal_size_limit=16777216;");
  database.run(fsync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  const auto page = static_cast<std::uint64_t>(database.number("PRAGMA page_size"));
  database.run(("PRAGMA max_page_count=" + std::to_string(std::max<std::uint64_t>(bytes_max / page, 64))).c_str());
  const auto version = database.number("PRAGMA user_version");
  if (version > kSchema) throw SqlFailure{0, "it was written by a newer Weft (schema " + std::to_string(version) + ")"};
  Transaction transaction(database);
  database.run(kTables);
  database.run(("PRAGMA user_version=" + std::to_string(kSchema)).c_str());
  transaction.commit();
  return page;
}

constexpr const char* kEventColumns = "seq, received_us, issue, time_us, severity, host, agent, code, body";
std::string select_events(const char* rest) {
  std::string text = "SELECT ";
  return text.append(kEventColumns).append(" FROM events ").append(rest);
}

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

JournalFile::JournalFile(const std::string& file, bool fsync, std::uint64_t bytes_max)
    : database(file),
      page_bytes(prepare(database, fsync, bytes_max)),
      insert_event(database,
                   "INSERT INTO events (seq, id, time_us, received_us, severity, host, agent, code, issue, body) "
                   "VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING"),
      delete_events(database, "DELETE FROM events WHERE seq <= ?"),
      find_issue(database, "SELECT body FROM issues WHERE id = ?"),
      write_issue(database, "INSERT OR REPLACE INTO issues (id, state, last_seen_us, due_us, body) VALUES (?,?,?,?,?)"),
      drop_issues(database, "DELETE FROM issues WHERE id IN (SELECT id FROM issues ORDER BY last_seen_us LIMIT ?)"),
      add_count(database,
                "INSERT INTO counts (host, agent, severity, code, events) VALUES (?,?,?,?,?) "
                "ON CONFLICT DO UPDATE SET events = events + excluded.events"),
      write_mark(database, "INSERT OR REPLACE INTO marks (name, value) VALUES (?,?)"),
      waiting(database, "SELECT seq, severity, body FROM events WHERE seq > ? ORDER BY seq"),
      waiting_since(database, "SELECT received_us FROM events WHERE seq > ? AND severity >= ? ORDER BY seq LIMIT 1"),
      newer(database, select_events("WHERE seq > ? ORDER BY seq").c_str()),
      older(database, select_events("WHERE seq < ? ORDER BY seq DESC").c_str()),
      find_event(database, select_events("WHERE id = ?").c_str()),
      all_issues(database, "SELECT body FROM issues ORDER BY last_seen_us DESC"),
      due_issues(database, "SELECT body FROM issues WHERE due_us <= ? LIMIT 256"),
      issue_states(database, "SELECT state, count(*) FROM issues GROUP BY state"),
      page_count(database, "PRAGMA page_count"),
      free_pages(database, "PRAGMA freelist_count") {}

Result<void> Journal::Impl::open() {
  if (file) return {};
  for (int attempt = 0;; ++attempt) {
    if (auto created = create(options.file); !created) return created;
    try {
      file = std::make_unique<JournalFile>(options.file, options.fsync, options.bytes_max);
      load();
      return {};
    } catch (const SqlFailure& failure) {
      Error error = failed("open it", failure);
      file.reset();
      if (!failure.damaged() || attempt > 0) return error;
      if (notice.empty()) move_aside(failure.text);
    }
  }
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
  std::string stamp = to_rfc3339(clock.wall()).substr(0, 19);
  for (char& c : stamp) c = c == ':' ? '-' : c;
  const std::string aside = options.file + ".damaged-" + stamp;
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
