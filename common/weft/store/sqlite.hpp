// SQLite for the rooms that keep rows: a database, statements, rows and transactions. Failures are thrown as SqlFailure
// and caught at the door of the room; leaving a transaction by an exception rolls it back. Loop-bound.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace weft::store {

struct SqlFailure {
  int code;  ///< extended result code of SQLite; 0: none, the text says it all
  std::string text;

  static SqlFailure damage(std::string why);
  bool damaged() const noexcept;
  bool disk_full() const noexcept;
  /// "<subject>: <what happened>" and what to do. `disk_full`, else of the code `otherwise`.
  Error error(const std::string& subject, const Code& otherwise) const;
};

class Database {
 public:
  /// Opens an existing file, or ":memory:". SQL then has row_sum(column, …), a checksum. Throws SqlFailure.
  explicit Database(const std::string& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql);
  /// The first column of the first row as a number; 0 without a row.
  std::int64_t number(const std::string& sql);
  std::string text(const std::string& sql);
  /// True when the file was removed, renamed or replaced while it was open.
  bool moved() const noexcept;
  int changes() const noexcept;
  bool in_transaction() const noexcept;
  /// Until it is trusted, a database leaves its write-ahead log untouched when it is closed: what is found to be
  /// damaged can be kept as it was found.
  void trust(bool trusted) noexcept;
  [[noreturn]] void fail(int code) const;
  sqlite3* raw() const noexcept { return raw_; }

 private:
  sqlite3* raw_ = nullptr;
};

/// One prepared statement. Text and blobs are borrowed until the next reset(). A failure of any of its functions is
/// thrown as SqlFailure.
class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, BytesView blob);
  /// The value of a column of another statement's row, with its type.
  Statement& bind_column(int index, const Statement& row, int column);
  /// True: there is a row.
  bool step();
  /// Steps to the end, then resets.
  void run();
  void reset() noexcept;

  std::int64_t integer(int column) const noexcept;
  std::string text(int column) const;
  BytesView blob(int column) const noexcept;

 private:
  Database& database_;
  sqlite3_stmt* raw_ = nullptr;
};

/// Resets a statement that is stepped through when the scope ends, however it ends.
class Rows {
 public:
  explicit Rows(Statement& statement) : statement_(statement) {}
  ~Rows() { statement_.reset(); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  bool next() { return statement_.step(); }

 private:
  Statement& statement_;
};

/// Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { database_.run("COMMIT"); }

 private:
  Database& database_;
};

}  // namespace weft::store
