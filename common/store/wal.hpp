// What SQLite's write-ahead log says of itself. Private to store.
#pragma once
#include <string>

namespace weft::store {

/// True: the log beside a database holds a transaction that was written whole and cannot be read any more. SQLite takes
/// such a log as if it ended before, and says nothing: for it this is what a crash leaves. The database must be locked.
/// Format: sqlite.org/fileformat2.html, section 4.
bool log_damaged(const std::string& log_file);

}  // namespace weft::store
