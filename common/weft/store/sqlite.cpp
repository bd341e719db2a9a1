#include "weft/store/sqlite.hpp"

#include <sqlite3.h>

#include "weft/base/crc32.hpp"

namespace weft::store {
namespace {

constexpr int kBusyMs = 500;  // a predecessor that is just ending, or a backup tool, may hold the file for a moment

BytesView bytes_of(sqlite3_value* value) {
  const auto* data = static_cast<const std::byte*>(sqlite3_value_blob(value));  // of a number: its digits
  return {data, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

/// row_sum(column, …): of all values, each with its kind and size.
void row_sum(sqlite3_context* context, int count, sqlite3_value** values) {
  std::uint32_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const bool number = sqlite3_value_type(values[i]) == SQLITE_INTEGER;
    const BytesView bytes = bytes_of(values[i]);
    sum = crc32(as_bytes((number ? "n" : "b") + std::to_string(bytes.size()) + ":"), sum);
    sum = crc32(bytes, sum);
  }
  sqlite3_result_int64(context, sum);
}

/// record_sum(key, value): the checksum of version 2 of the key-value store, for files that still have it.
void record_sum(sqlite3_context* context, int, sqlite3_value** values) {
  const BytesView key = bytes_of(values[0]);
  const std::string size = std::to_string(key.size());
  sqlite3_result_int64(context, crc32(bytes_of(values[1]), crc32(key, crc32(as_bytes(size)))));
}

}  // namespace

SqlFailure SqlFailure::damage(std::string why) { return {SQLITE_CORRUPT, std::move(why)}; }

bool SqlFailure::damaged() const noexcept {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

bool SqlFailure::disk_full() const noexcept { return (code & 0xff) == SQLITE_FULL; }

Error SqlFailure::error(const std::string& subject, const Code& otherwise) const {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {codes::disk_full, subject + ": the disk is full", "free space; the next write is tried again"};
    case SQLITE_BUSY:
      return {otherwise, subject + ": another process holds it",
              "end the other process, or give this one a state.directory of its own"};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {otherwise, subject + ": " + text, "check the owner, mode and mount of its folder"};
    default:
      return {otherwise, subject + ": " + text};
  }
}

Database::Database(const std::string& file) {
  const int code = sqlite3_open_v2(file.c_str(), &raw_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    SqlFailure failure{code, raw_ ? sqlite3_errmsg(raw_) : sqlite3_errstr(code)};
    sqlite3_close_v2(raw_);
    throw failure;
  }
  sqlite3_extended_result_codes(raw_, 1);
  sqlite3_busy_timeout(raw_, kBusyMs);
  constexpr int kKind = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  sqlite3_create_function(raw_, "row_sum", -1, kKind, nullptr, row_sum, nullptr, nullptr);
  sqlite3_create_function(raw_, "record_sum", 2, kKind, nullptr, record_sum, nullptr, nullptr);
  trust(false);
}

Database::~Database() { sqlite3_close_v2(raw_); }

void Database::trust(bool trusted) noexcept {
  sqlite3_db_config(raw_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, trusted ? 0 : 1, nullptr);
}

void Database::fail(int code) const { throw SqlFailure{code, sqlite3_errmsg(raw_)}; }

void Database::run(const std::string& sql) {
  if (const int code = sqlite3_exec(raw_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

std::int64_t Database::number(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

bool Database::moved() const noexcept {
  int moved = 0;
  return sqlite3_file_control(raw_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

int Database::changes() const noexcept { return sqlite3_changes(raw_); }
bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(raw_) == 0; }

Statement::Statement(Database& database, const std::string& sql) : database_(database) {
  const int code = sqlite3_prepare_v3(database.raw(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw_, nullptr);
  if (code != SQLITE_OK) database.fail(code);
}

Statement::~Statement() { sqlite3_finalize(raw_); }

Statement& Statement::bind(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(raw_, index, value); code != SQLITE_OK) database_.fail(code);
  return *this;
}
Statement& Statement::bind(int index, std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
  const int code = sqlite3_bind_text64(raw_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}
Statement& Statement::bind(int index, BytesView blob) {
  const void* data = blob.data() ? static_cast<const void*>(blob.data()) : "";
  const int code = sqlite3_bind_blob64(raw_, index, data, blob.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}
Statement& Statement::bind_column(int index, const Statement& row, int column) {
  const int code = sqlite3_bind_value(raw_, index, sqlite3_column_value(row.raw_, column));
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(raw_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  SqlFailure failure{sqlite3_extended_errcode(database_.raw()), sqlite3_errmsg(database_.raw())};
  reset();
  throw failure;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() noexcept { sqlite3_reset(raw_); }

std::int64_t Statement::integer(int column) const noexcept { return sqlite3_column_int64(raw_, column); }

std::string Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(raw_, column));  // the same bytes as column_text()
  return data ? std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))) : std::string();
}

BytesView Statement::blob(int column) const noexcept {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(raw_, column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(raw_, column))};
}

Transaction::~Transaction() {
  if (!database_.in_transaction()) return;
  try {
    database_.run("ROLLBACK");
  } catch (const SqlFailure&) {  // SQLite has rolled back by itself
  }
}

}  // namespace weft::store
