// A database file of Weft: created whole or not at all, checked when it is opened, and, when it is damaged, kept aside
// and replaced by a new file with every row that is whole. The one way for the registry's store, the journals of queues
// and the error journal.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "weft/store/sqlite.hpp"
#include "weft/store/store.hpp"

namespace weft::store {

/// A table whose rows have a checksum, in the column `crc`: that of row_sum() over all other columns.
struct Table {
  std::string name;                  ///< a plural noun, for people too
  std::vector<std::string> columns;  ///< without `crc`; those of the primary key first
  std::size_t key_columns = 1;
  bool integer_key = false;     ///< the key is one number above 0
  std::string former_sum = {};  ///< the expression of the checksum that older versions wrote; empty: none

  /// "a, b, c"
  std::string column_list() const;
  /// True for a row that is as it was written: SQL.
  std::string is_whole() const;
  /// "INSERT <mode> INTO name (…, crc) VALUES (?1, …, row_sum(?1, …))"
  std::string insert(const std::string& mode = "") const;
};

struct Schema {
  int version;         ///< PRAGMA user_version; a file of a newer one is refused and left alone
  std::string create;  ///< SQL that creates what does not exist
  std::vector<Table> tables;
};

struct OpenedDatabase {
  std::unique_ptr<Database> database;
  std::string notice;  ///< for a person: the file was damaged, where it is kept, what continues; else empty
};

/// Opens the file in write-ahead mode, for this process alone; creates it (mode 0600) and its folder when they do not
/// exist. An existing file of 0 bytes is damaged: none is ever created empty. `suspect`: it is known to be damaged, as
/// a statement failed by that. Takes as long as reading all of it. Throws SqlFailure.
OpenedDatabase open_database(const std::string& file, const Schema& schema, Durability durability, WallTime now,
                             bool suspect = false);
/// The same tables in memory.
std::unique_ptr<Database> open_memory_database(const Schema& schema);

}  // namespace weft::store
