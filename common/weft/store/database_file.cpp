#include "weft/store/database_file.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "weft/base/files.hpp"

namespace weft::store {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code ignored;  // what cannot be seen does not exist
  return fs::exists(path, ignored);
}

constexpr std::int64_t kNewerMax = 1000;      ///< a version beyond it is a flipped bit, not a later Weft
constexpr std::int64_t kSkipMax = 1LL << 32;  ///< keys; no gap of lost rows is larger
constexpr std::uintmax_t kStructureCheckMax = 64 * 1024 * 1024;  ///< bytes; 0.2 s each 50 MB

std::string joined(const std::vector<std::string>& columns, std::size_t count, const std::string& behind = "") {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + columns[i] + behind;
  return out;
}

SqlFailure cannot(const std::string& what, const std::error_code& why) {
  const bool full = why == std::errc::no_space_on_device;
  return {full ? SQLITE_FULL : SQLITE_CANTOPEN, "cannot " + what + ": " + why.message()};
}
std::error_code last_error() { return {errno, std::generic_category()}; }

void for_each_part(const std::string& file, void (*each)(const std::string& part, const std::string& to),
                   const std::string& to = "") {
  for (const char* suffix : {"", "-wal", "-shm"}) each(file + suffix, to + suffix);
}
void remove_all(const std::string& file) {
  for_each_part(file, [](const std::string& part, const std::string&) {
    std::error_code ignored;  // what does not exist need not be removed
    fs::remove(part, ignored);
  });
}
void rename_all(const std::string& file, const std::string& to) {
  for_each_part(
      file,
      [](const std::string& part, const std::string& name) {
        std::error_code ignored;  // the log need not exist
        fs::rename(part, name, ignored);
      },
      to);
}

void write_ahead(Database& database, bool sync) {
  database.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA journal_size_limit=16777216");
  database.run(sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

bool has_sums(Database& database, const Table& table) {
  return database.number("SELECT count(*) FROM pragma_table_info('" + table.name + "') WHERE name = 'crc'") > 0;
}

void make_tables(Database& database, const Schema& schema) {
  const auto found = database.number("PRAGMA user_version");
  if (found < 0 || found > kNewerMax) throw SqlFailure::damage("its version is " + std::to_string(found));
  if (found > schema.version) {
    throw SqlFailure{0, "written by a newer Weft (format " + std::to_string(found) + ", this one knows " +
                            std::to_string(schema.version) + "); run the newer Weft, or move the file away"};
  }
  database.run(schema.create);
  if (found == schema.version) return;
  for (const Table& table : schema.tables) {
    const std::string set = "UPDATE " + table.name + " SET crc = row_sum(" + table.column_list() + ")";
    if (!has_sums(database, table)) {
      database.run("ALTER TABLE " + table.name + " ADD COLUMN crc INTEGER");
      database.run(set);
    } else if (!table.former_sum.empty()) {
      database.run(set + " WHERE crc IS " + table.former_sum);
    }
  }
  database.run("PRAGMA user_version=" + std::to_string(schema.version));
}

/// A whole database at `path`, closed again and on the disk. SQLite gives its log the mode of the database file, so the
/// file is created here, for its owner only.
void create(const std::string& path, const Schema& schema) {
  remove_all(path);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) throw cannot("create it", last_error());
  ::close(fd);
  Database database(path);
  database.trust(true);
  write_ahead(database, true);
  Transaction transaction(database);
  make_tables(database, schema);
  transaction.commit();
}

std::string mending(const std::string& file) { return file + ".mending"; }

/// A log without its file must not be read as the log of the next one. Returns what to report, or "".
std::string put_log_aside(const std::string& file, WallTime now) {
  if (!exists(file + "-wal")) return {};
  const std::string aside = damaged_name(file, now);
  rename_all(file, aside);
  return file + " was missing; its log is kept as " + aside + "-wal";
}

/// The file is renamed into its place when it is complete, so a file of 0 bytes was never one of ours that is new.
/// Returns what to report, or "".
std::string create_if_missing(const std::string& file, const Schema& schema, WallTime now) {
  std::error_code failed;
  if (fs::symlink_status(file, failed).type() != fs::file_type::not_found) return {};
  const auto folder = fs::path(file).parent_path();
  if (!folder.empty()) fs::create_directories(folder, failed);
  if (failed) throw cannot("create its folder", failed);
  std::string notice = put_log_aside(file, now);
  const std::string interrupted = mending(file), fresh = file + ".new";
  const bool finish = exists(interrupted);  // a former process ended between the two renames of a repair
  if (!finish) create(fresh, schema);
  fs::rename(finish ? interrupted : fresh, file, failed);
  if (failed) throw cannot("create it", failed);
  (void)sync_folder_of(file);  // where it cannot be synced a power cut may bring the former state back
  return finish ? file + " was damaged; an interrupted repair was finished" : notice;
}

/// Its size. Only regular files get to SQLite: it would wait for the other end of a FIFO.
std::uintmax_t check_regular(const std::string& file) {
  for (const char* suffix : {"", "-wal"}) {
    struct stat info {};
    if (::stat((file + suffix).c_str(), &info) != 0) {
      if (*suffix != '\0') continue;
      throw cannot("open it", last_error());
    }
    if (!S_ISREG(info.st_mode))
      throw SqlFailure{SQLITE_CANTOPEN, (*suffix == '\0' ? "it" : "its log") + std::string(" is not a regular file")};
  }
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  return failed ? 0 : size;
}

/// Reads everything: damage is found now, not when a row is needed.
void check(Database& database, const Schema& schema, std::uintmax_t bytes) {
  if (bytes <= kStructureCheckMax) {
    const std::string found = database.text("PRAGMA quick_check(1)");
    if (found != "ok") throw SqlFailure::damage(found);
  }
  for (const Table& table : schema.tables) {
    const auto rows = database.number("SELECT count(*) FROM " + table.name + " WHERE NOT " + table.is_whole());
    if (rows > 0) throw SqlFailure::damage(std::to_string(rows) + " of its " + table.name + " are not as written");
  }
}

std::unique_ptr<Database> open_checked(const std::string& file, const Schema& schema, Durability durability) {
  const auto bytes = check_regular(file);
  if (bytes == 0) throw SqlFailure::damage("it exists and is empty");
  auto database = std::make_unique<Database>(file);
  write_ahead(*database, durability == Durability::fsync);
  Transaction locked(*database);
  if (log_damaged(file + "-wal")) throw SqlFailure::damage("its log is damaged");  // nothing was written to it yet
  make_tables(*database, schema);
  locked.commit();
  check(*database, schema, bytes);
  database->trust(true);
  return database;
}

/// A damaged database as far as it can be opened, locked; null: it cannot. Throws when another process holds it.
std::unique_ptr<Database> open_damaged(const std::string& file) {
  if (check_regular(file) == 0) return nullptr;
  try {
    auto database = std::make_unique<Database>(file);
    // with a writable schema SQLite also reads a file that is shorter than its header says
    database->run("PRAGMA writable_schema=ON; PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE");
    return database;
  } catch (const SqlFailure& failure) {
    if (failure.damaged()) return nullptr;
    throw;
  }
}

/// Copies the rows of a damaged table that are whole and can be reached.
class Salvage {
 public:
  Salvage(Database& from, Database& to, const Table& table)
      : from_(from), table_(table), insert_(to, table.insert("OR IGNORE")) {}

  void run() {
    if (table_.integer_key) return skip_along();
    if (!copy("ORDER BY " + joined(table_.columns, table_.key_columns), {}))
      copy("ORDER BY " + joined(table_.columns, table_.key_columns, " DESC"), {});
  }

 private:
  /// Behind a damaged page the next keys are tried, in growing steps.
  void skip_along() {
    std::int64_t step = 1;
    for (std::int64_t after = 0; step < kSkipMax; step *= 2) {
      last_ = after;
      if (copy("AND " + table_.columns[0] + " > ?1 ORDER BY " + table_.columns[0], after)) return;
      if (last_ > after) step = 1;
      after = last_ + step;
    }
  }

  /// False: a damaged page ended it.
  bool copy(const std::string& rest, std::optional<std::int64_t> after) {
    std::string whole = table_.is_whole();
    if (!table_.former_sum.empty()) whole = "(" + whole + " OR crc IS " + table_.former_sum + ")";
    const std::string sql = "SELECT " + table_.column_list() + " FROM " + table_.name + " WHERE " + whole + " " + rest;
    std::unique_ptr<Statement> row;
    const auto next = [&]() -> std::optional<bool> {
      try {
        if (!row) {
          row = std::make_unique<Statement>(from_, sql);
          if (after) row->bind(1, *after);
        }
        return row->step();
      } catch (const SqlFailure&) {
        return std::nullopt;
      }
    };
    auto more = next();
    for (; more.value_or(false); more = next()) {
      for (int i = 0; i < static_cast<int>(table_.columns.size()); ++i) insert_.bind_column(i + 1, *row, i);
      insert_.run();
      last_ = row->integer(0);
    }
    return more.has_value();
  }

  Database& from_;
  const Table& table_;
  Statement insert_;
  std::int64_t last_ = 0;  ///< the last key that was copied
};

/// Puts a new file with what is whole in the place of the damaged one; returns what to report.
std::string mend(const std::string& file, const Schema& schema, WallTime now, const std::string& why) {
  auto damaged = open_damaged(file);
  const std::string fresh = mending(file);
  create(fresh, schema);
  std::string kept;
  {
    Database mended(fresh);
    mended.trust(true);
    write_ahead(mended, true);
    Transaction transaction(mended);
    for (const Table& table : schema.tables) {
      if (damaged) Salvage(*damaged, mended, table).run();
      kept += (kept.empty() ? "" : ", ") + std::to_string(mended.number("SELECT count(*) FROM " + table.name)) + " " +
              table.name;
    }
    transaction.commit();
  }
  damaged.reset();
  const std::string aside = damaged_name(file, now);
  rename_all(file, aside);
  rename_all(fresh, file);
  (void)sync_folder_of(file);  // where it cannot be synced a power cut may bring the former state back
  return file + " was damaged (" + why + "); it is kept as " + aside +
         ", and what is whole continues in a new file: " + kept;
}

}  // namespace

std::string Table::column_list() const { return joined(columns, columns.size()); }

std::string Table::is_whole() const { return "crc IS row_sum(" + column_list() + ")"; }

std::string Table::insert(const std::string& mode) const {
  std::string values;
  for (std::size_t i = 1; i <= columns.size(); ++i) values += (i == 1 ? "?" : ", ?") + std::to_string(i);
  return "INSERT " + mode + " INTO " + name + " (" + column_list() + ", crc) VALUES (" + values + ", row_sum(" +
         values + "))";
}

OpenedDatabase open_database(const std::string& file, const Schema& schema, Durability durability, WallTime now,
                             bool suspect) {
  std::string notice = create_if_missing(file, schema, now);
  try {
    if (suspect) throw SqlFailure::damage("a statement failed");
    return {open_checked(file, schema, durability), std::move(notice)};
  } catch (const SqlFailure& failure) {
    if (!failure.damaged()) throw;
    notice = mend(file, schema, now, failure.text);
    return {open_checked(file, schema, durability), std::move(notice)};
  }
}

std::unique_ptr<Database> open_memory_database(const Schema& schema) {
  auto database = std::make_unique<Database>(":memory:");
  make_tables(*database, schema);
  return database;
}

}  // namespace weft::store
