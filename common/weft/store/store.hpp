// The door of store: key-value backends behind one interface.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::store {

/// How much is kept over a crash: of the process only, or of the machine too.
enum class Durability : std::uint8_t { os, fsync };

/// An interface. Keys and values are bytes. Loop-bound; calls may take as long as the disk does.
class Store {
 public:
  struct Entry {
    std::string key;
    std::string value;
  };
  struct Change {
    std::string key;
    std::string value;
    bool erase = false;
  };
  virtual ~Store() = default;
  /// All entries whose key begins with `prefix`, in order of key, but for damaged ones: see take_damaged().
  virtual Result<std::vector<Entry>> list(std::string_view prefix) = 0;
  /// Keys of entries that list() left out since the last call, because their bytes are not those that were written.
  /// They stay where they are.
  virtual std::vector<std::string> take_damaged() { return {}; }
  /// All changes or none. Errors: `store_failed`, `disk_full`.
  virtual Result<void> apply(const std::vector<Change>& changes) = 0;
};

std::unique_ptr<Store> open_memory();
/// Creates the file (mode 0600) and its folder. All of it is checked: when a record, a page or the log is damaged, the
/// file is kept as <file>.damaged-<time>, told in `notice`, and what is whole goes on in a new one.
struct Opened {
  std::unique_ptr<Store> store;
  std::string notice;
};
Result<Opened> open_sqlite(const std::string& file, Durability durability);

/// True: the write-ahead log beside an SQLite database holds a transaction that was written whole and cannot be read
/// any more. SQLite takes such a log as if it ended before, and says nothing: for it this is what a crash leaves. The
/// database must be locked, and not written to since it was opened.
bool log_damaged(const std::string& log_file);

}  // namespace weft::store
