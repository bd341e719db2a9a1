// The SQLite backend: one table in a file with a write-ahead log. One process holds the file; a second one is refused.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "weft/store/store.hpp"

namespace weft::store {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kBusyMs = 500;  // a predecessor that is just ending may hold the file for a moment

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
  int step() noexcept { return sqlite3_step(it_); }
  /// After the last row or a failure: makes the statement ready again and lets go of what was bound.
  void reset() noexcept {
    sqlite3_reset(it_);
    sqlite3_clear_bindings(it_);
  }
  std::string column(int index) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(it_, index));
    return {bytes == nullptr ? "" : bytes, static_cast<std::size_t>(sqlite3_column_bytes(it_, index))};
  }
  int integer() const noexcept { return sqlite3_column_int(it_, 0); }

 private:
  sqlite3_stmt* it_ = nullptr;
  int code_ = 0;
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

  /// The SQLite code of what went wrong, or SQLITE_OK.
  int open(Durability durability) {
    int code = sqlite3_open_v2(file_.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) return code;
    sqlite3_extended_result_codes(db_, 1);
    sqlite3_busy_timeout(db_, kBusyMs);
    for (const char* sql :
         {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
          durability == Durability::fsync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
          "PRAGMA journal_size_limit=4194304", "BEGIN IMMEDIATE",
          "CREATE TABLE IF NOT EXISTS entries(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID", "COMMIT",
          "PRAGMA quick_check(1)"}) {
      if (code = run(sql); code != SQLITE_OK) return code;
    }
    return prepare();
  }
  const char* message() const noexcept { return sqlite3_errmsg(db_); }
  int version() {
    Statement statement(db_, "PRAGMA user_version");
    return statement.step() == SQLITE_ROW ? statement.integer() : 0;
  }
  int set_version() { return run(("PRAGMA user_version=" + std::to_string(kSchemaVersion)).c_str()); }

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
      found.push_back(std::move(entry));
    }
    const Error error = code == SQLITE_DONE ? Error() : failure(file_, code, message());
    list_->reset();
    if (code != SQLITE_DONE) return error;
    return found;
  }

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
  int prepare() {
    put_ = std::make_unique<Statement>(db_, "INSERT OR REPLACE INTO entries VALUES(?1, ?2)");
    erase_ = std::make_unique<Statement>(db_, "DELETE FROM entries WHERE key = ?1");
    list_ = std::make_unique<Statement>(db_, "SELECT key, value FROM entries WHERE key >= ?1 ORDER BY key");
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

/// Keeps what a damaged store left, for a person to look at.
std::string move_aside(const std::string& file) {
  const std::string aside = file + ".damaged-" + std::to_string(to_us(SystemClock().wall()) / 1'000'000);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code ignored;  // -wal and -shm may not exist
    std::filesystem::rename(file + suffix, aside + suffix, ignored);
  }
  return aside;
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
  for (int attempt = 0;; ++attempt) {
    if (auto created = create_private(file); !created) return created.error();
    auto store = std::make_unique<SqliteStore>(file);
    const int code = store->open(durability);
    if (code == SQLITE_OK) {
      if (store->version() > kSchemaVersion) return too_new(file, store->version());
      if (const int set = store->set_version(); set != SQLITE_OK) return failure(file, set, store->message());
      return Opened{std::move(store), std::move(notice)};
    }
    const std::string message = is_damage(code) ? "the file is damaged" : store->message();
    store.reset();
    if (!is_damage(code) || attempt > 0) return failure(file, code, message.c_str());
    notice = "store " + file + " was damaged; it is kept as " + move_aside(file) + " and a new one begins";
  }
}

}  // namespace weft::store
