// The SQLite backend: one table in a file with a write-ahead log. One process holds the file; a second one is refused.
// Each record has a sum of its bytes, which SQLite has not: it notices a damaged page by its structure only.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "weft/base/crc32.hpp"
#include "weft/store/store.hpp"

namespace weft::store {
namespace {

constexpr int kSchemaVersion = 2;  // 1 had no sums
constexpr int kBusyMs = 500;       // a predecessor that is just ending may hold the file for a moment

bool is_damage(int code) noexcept { return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB; }

Error failure(const std::string& file, int code, const char* what) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {codes::disk_full, "store " + file + ": the disk is full", "free space; the next write is tried again"};
    case SQLITE_BUSY:
      return {codes::store_failed, "store " + file + ": another process holds it",
              "end the other process, or give this one a state.directory of its own"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {codes::store_failed, "store " + file + ": " + what, "check owner, mode and mount of its folder"};
    default:
      return {codes::store_failed, "store " + file + ": " + what};
  }
}

/// record_sum(key, value): of both, and of where the one ends.
void record_sum(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto bytes = [&](int i) {
    const auto* data = static_cast<const std::byte*>(sqlite3_value_blob(arguments[i]));
    return BytesView(data, static_cast<std::size_t>(sqlite3_value_bytes(arguments[i])));
  };
  const std::string size = std::to_string(bytes(0).size());
  sqlite3_result_int64(context, crc32(bytes(1), crc32(bytes(0), crc32(as_bytes(size)))));
}

/// A prepared statement; finalised with it.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) {
    code_ = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &it_, nullptr);
  }
  ~Statement() { sqlite3_finalize(it_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  int code() const noexcept { return code_; }
  void bind(int index, std::string_view bytes) noexcept {
    sqlite3_bind_blob64(it_, index, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  int step() noexcept { return last_ = sqlite3_step(it_); }
  bool ended() const noexcept { return last_ == SQLITE_DONE; }
  /// After the last row or a failure: makes the statement ready again and lets go of what was bound.
  void reset() noexcept {
    sqlite3_reset(it_);
    sqlite3_clear_bindings(it_);
  }
  std::string column(int index) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(it_, index));
    return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(it_, index))};
  }
  int integer(int index = 0) const noexcept { return sqlite3_column_int(it_, index); }

 private:
  sqlite3_stmt* it_ = nullptr;
  int code_ = 0, last_ = 0;
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(std::string file) : file_(std::move(file)) {}
  ~SqliteStore() override {
    put_.reset();
    erase_.reset();
    list_.reset();
    sqlite3_close(db_);
  }

  /// The SQLite code of what went wrong, or SQLITE_OK; so too for a file of a newer version(), which is left alone.
  int open(Durability durability) {
    int code = sqlite3_open_v2(file_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return code;
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, kBusyMs);
    sqlite3_create_function(db_, "record_sum", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, record_sum, nullptr,
                            nullptr);
    code = run_all({"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
                    durability == Durability::fsync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                    "PRAGMA journal_size_limit=4194304", "BEGIN IMMEDIATE"});
    if (code != SQLITE_OK) return code;
    if (log_damaged(file_ + "-wal")) return SQLITE_CORRUPT;  // locked by now, and not written to
    if (version() > kSchemaVersion) return SQLITE_OK;
    if (code = make_table(); code != SQLITE_OK) return code;
    if (code = run_all({"COMMIT", "PRAGMA quick_check(1)"}); code != SQLITE_OK) return code;
    return check_sums();
  }
  const char* message() const noexcept { return sqlite3_errmsg(db_); }
  int version() {
    Statement statement(db_, "PRAGMA user_version");
    return statement.step() == SQLITE_ROW ? statement.integer() : 0;
  }
  /// Writes all records that are whole to `to`, from the first on and, when a damaged page ends that, from the last on.
  /// How many; an SQLite code of `to` when it could not take them.
  int rescue(SqliteStore& to, std::size_t& rescued) {
    int wrote = to.run("BEGIN IMMEDIATE");
    for (const char* order : {"", " DESC"}) {
      const auto sql = std::string("SELECT key, value FROM entries WHERE crc IS record_sum(key, value) ORDER BY key");
      Statement rows(db_, (sql + order).c_str());
      int read = rows.code();
      while (read == SQLITE_OK && wrote == SQLITE_OK && rows.step() == SQLITE_ROW)
        wrote = to.write({rows.column(0), rows.column(1)});
      if (rows.ended()) break;
    }
    if (wrote == SQLITE_OK) wrote = to.run("COMMIT");
    Statement count(to.db_, "SELECT count(*) FROM entries");
    if (count.step() == SQLITE_ROW) rescued = static_cast<std::size_t>(count.integer());
    return wrote;
  }

  Result<std::vector<Entry>> list(std::string_view prefix) override {
    std::vector<Entry> found;
    list_->bind(1, prefix);
    int code = list_->step();
    for (; code == SQLITE_ROW; code = list_->step()) {
      Entry entry{list_->column(0), list_->column(1)};
      if (!entry.key.starts_with(prefix)) {
        code = SQLITE_DONE;
        break;
      }
      if (list_->integer(2) == 1) {
        found.push_back(std::move(entry));
      } else {
        damaged_.push_back(std::move(entry.key));
      }
    }
    const Error error = code == SQLITE_DONE ? Error() : failure(file_, code, message());
    list_->reset();
    if (code != SQLITE_DONE) return error;
    return found;
  }

  std::vector<std::string> take_damaged() override { return std::exchange(damaged_, {}); }

  Result<void> apply(const std::vector<Change>& changes) override {
    if (changes.empty()) return {};
    int code = run("BEGIN IMMEDIATE");
    for (auto it = changes.begin(); code == SQLITE_OK && it != changes.end(); ++it) code = write(*it);
    if (code == SQLITE_OK) code = run("COMMIT");
    if (code == SQLITE_OK) return {};
    Error error = failure(file_, code, message());
    if (sqlite3_get_autocommit(db_) == 0) (void)run("ROLLBACK");
    return error;
  }

 private:
  int run(const char* sql) {
    Statement statement(db_, sql);
    if (statement.code() != SQLITE_OK) return statement.code();
    int code = statement.step();
    // quick_check answers a row with "ok", or with what is wrong
    if (code == SQLITE_ROW && std::strcmp(sql, "PRAGMA quick_check(1)") == 0 && statement.column(0) != "ok")
      return SQLITE_CORRUPT;
    while (code == SQLITE_ROW) code = statement.step();
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }
  int run_all(std::initializer_list<const char*> statements) {
    int code = SQLITE_OK;
    for (auto it = statements.begin(); code == SQLITE_OK && it != statements.end(); ++it) code = run(*it);
    return code;
  }
  int make_table() {
    const int found = version();
    const int code =
        found == 1
            ? run_all({"ALTER TABLE entries ADD COLUMN crc INTEGER", "UPDATE entries SET crc = record_sum(key, value)"})
            : run("CREATE TABLE IF NOT EXISTS entries(key BLOB PRIMARY KEY, value BLOB NOT NULL, crc INTEGER) "
                  "WITHOUT ROWID");
    if (code != SQLITE_OK || found == kSchemaVersion) return code;
    return run(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str());
  }
  int check_sums() {
    Statement wrong(db_, "SELECT count(*) FROM entries WHERE crc IS NOT record_sum(key, value)");
    const int code = wrong.step();
    if (code != SQLITE_ROW) return wrong.code() == SQLITE_OK ? code : wrong.code();
    return wrong.integer() == 0 ? prepare() : SQLITE_CORRUPT;
  }
  int prepare() {
    put_ = std::make_unique<Statement>(db_, "INSERT OR REPLACE INTO entries VALUES(?1, ?2, record_sum(?1, ?2))");
    erase_ = std::make_unique<Statement>(db_, "DELETE FROM entries WHERE key = ?1");
    list_ = std::make_unique<Statement>(db_,
                                        "SELECT key, value, crc IS record_sum(key, value) FROM entries WHERE key >= ?1 "
                                        "ORDER BY key");
    for (const auto* statement : {put_.get(), erase_.get(), list_.get()})
      if (statement->code() != SQLITE_OK) return statement->code();
    return SQLITE_OK;
  }
  int write(const Change& change) {
    Statement& statement = change.erase ? *erase_ : *put_;
    statement.bind(1, change.key);
    if (!change.erase) statement.bind(2, change.value);
    const int code = statement.step();
    statement.reset();
    return code == SQLITE_DONE ? SQLITE_OK : code;
  }

  std::string file_;
  sqlite3* db_ = nullptr;
  std::unique_ptr<Statement> put_, erase_, list_;
  std::vector<std::string> damaged_;
};

/// SQLite gives its -wal file the mode of the database file, so the file is made here, for its owner only.
Result<void> create_private(const std::string& file) {
  std::error_code error;
  const auto folder = std::filesystem::path(file).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return Error(codes::store_failed, "store " + file + ": cannot make its folder: " + error.message());
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Error(errno == ENOSPC ? codes::disk_full : codes::store_failed,
                 "store " + file + ": cannot open it: " + std::strerror(errno),
                 "check owner, mode and mount of its folder");
  }
  ::close(fd);
  return {};
}

void rename_all(const std::string& from, const std::string& to) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code ignored;  // -wal and -shm may not exist
    std::filesystem::rename(from + suffix, to + suffix, ignored);
  }
}

std::string mending(const std::string& file) { return file + ".mending"; }

/// Makes a new file of what is whole in `damaged`, and keeps the old one for a person to look at. Returns what to tell.
Result<std::string> mend(const std::string& file, std::unique_ptr<SqliteStore> damaged, Durability durability) {
  const std::string fresh = mending(file);
  const std::string aside = file + ".damaged-" + std::to_string(to_us(SystemClock().wall()) / 1'000'000);
  std::error_code ignored;  // what is not there need not go
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(fresh + suffix, ignored);
  if (auto created = create_private(fresh); !created) return created.error();
  auto mended = std::make_unique<SqliteStore>(fresh);
  std::size_t rescued = 0;
  int code = mended->open(durability);
  if (code == SQLITE_OK) code = damaged->rescue(*mended, rescued);
  if (code != SQLITE_OK) return failure(fresh, code, mended->message());
  mended.reset();
  // closing the old one writes what can be read of its log into it, and removes the log
  std::filesystem::copy_file(file + "-wal", aside + "-wal", ignored);
  damaged.reset();
  rename_all(file, aside);
  rename_all(fresh, file);
  return "store " + file + " was damaged; it is kept as " + aside + ", and " + std::to_string(rescued) +
         " whole records go on in a new one";
}

/// A former process may have ended while it mended the file, between the two renames.
void finish_mending(const std::string& file) {
  std::error_code ignored;  // not to be seen is not there
  if (!std::filesystem::exists(file, ignored)) rename_all(mending(file), file);
}

Error too_new(const std::string& file, int version) {
  return {codes::store_failed,
          "store " + file + ": written by a newer Weft (format " + std::to_string(version) + ", this one knows " +
              std::to_string(kSchemaVersion) + ")",
          "run the newer Weft, or move the file away"};
}

}  // namespace

Result<Opened> open_sqlite(const std::string& file, Durability durability) {
  std::string notice;
  finish_mending(file);
  for (int attempt = 0;; ++attempt) {
    if (auto created = create_private(file); !created) return created.error();
    auto store = std::make_unique<SqliteStore>(file);
    const int code = store->open(durability);
    if (code == SQLITE_OK && store->version() > kSchemaVersion) return too_new(file, store->version());
    if (code == SQLITE_OK) return Opened{std::move(store), std::move(notice)};
    if (!is_damage(code) || attempt > 0)
      return failure(file, code, is_damage(code) ? "the file is damaged" : store->message());
    auto mended = mend(file, std::move(store), durability);
    if (!mended) return mended.error();
    notice = std::move(*mended);
  }
}

}  // namespace weft::store
