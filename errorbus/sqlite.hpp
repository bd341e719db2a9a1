// SQLite as the journal needs it: a database, statements, and failures that are thrown. Private to errorbus: the
// journal catches them at its door; leaving a transaction by exception rolls it back.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weft/base/value.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace weft::errorbus {

struct SqlFailure {
  int code;  ///< extended result code
  std::string text;

  bool damaged() const noexcept;
  bool disk_full() const noexcept;
};

class Database {
 public:
  /// Opens or creates; SQL has row_sum(column, …) then, a checksum. Throws SqlFailure.
  explicit Database(const std::string& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql);
  /// The first column of the first row as a number; 0 without a row.
  std::int64_t number(const char* sql);
  /// True when the file was removed, renamed or replaced under us.
  bool moved() const noexcept;
  int changes() const noexcept;
  bool in_transaction() const noexcept;
  [[noreturn]] void fail(int code) const;
  sqlite3* raw() const noexcept { return raw_; }

 private:
  sqlite3* raw_ = nullptr;
};

/// One prepared statement. Text and blobs are borrowed until the next reset().
class Statement {
 public:
  Statement(Database& database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, BytesView blob);
  /// True: a row is there. Throws SqlFailure.
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

}  // namespace weft::errorbus
