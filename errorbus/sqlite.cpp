#include "errorbus/sqlite.hpp"

#include <sqlite3.h>

#include "weft/base/crc32.hpp"

namespace weft::errorbus {
namespace {

/// row_sum(column, …): of all values, each with its kind and size.
void row_sum(sqlite3_context* context, int count, sqlite3_value** values) {
  std::uint32_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const bool number = sqlite3_value_type(values[i]) == SQLITE_INTEGER;
    const auto* data = static_cast<const std::byte*>(sqlite3_value_blob(values[i]));  // of a number: its digits
    const BytesView bytes(data, static_cast<std::size_t>(sqlite3_value_bytes(values[i])));
    sum = crc32(as_bytes((number ? "n" : "b") + std::to_string(bytes.size()) + ":"), sum);
    sum = crc32(bytes, sum);
  }
  sqlite3_result_int64(context, sum);
}

}  // namespace

bool SqlFailure::damaged() const noexcept {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

bool SqlFailure::disk_full() const noexcept { return (code & 0xff) == SQLITE_FULL; }

Database::Database(const std::string& file) {
  const int code = sqlite3_open_v2(file.c_str(), &raw_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_extended_result_codes(raw_, 1);
    sqlite3_busy_timeout(raw_, 100);  // ms; a backup tool may hold the file for a moment
    sqlite3_create_function(raw_, "row_sum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, row_sum, nullptr,
                            nullptr);
    return;
  }
  SqlFailure failure{code, raw_ ? sqlite3_errmsg(raw_) : sqlite3_errstr(code)};
  sqlite3_close_v2(raw_);
  throw failure;
}

Database::~Database() { sqlite3_close_v2(raw_); }

void Database::fail(int code) const { throw SqlFailure{code, sqlite3_errmsg(raw_)}; }

void Database::run(const char* sql) {
  if (const int code = sqlite3_exec(raw_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

bool Database::moved() const noexcept {
  int moved = 0;
  return sqlite3_file_control(raw_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

int Database::changes() const noexcept { return sqlite3_changes(raw_); }
bool Database::in_transaction() const noexcept { return sqlite3_get_autocommit(raw_) == 0; }

Statement::Statement(Database& database, const char* sql) : database_(database) {
  const int code = sqlite3_prepare_v3(database.raw(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw_, nullptr);
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
  const int code = sqlite3_bind_blob64(raw_, index, blob.data(), blob.size(), SQLITE_STATIC);
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
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(raw_, column));
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

}  // namespace weft::errorbus
