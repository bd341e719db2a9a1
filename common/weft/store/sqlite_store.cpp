// The SQLite backend: one table of keys and values. One process holds the file; a second one is refused.
#include "weft/store/database_file.hpp"
#include "weft/store/store.hpp"

namespace weft::store {
namespace {

const Schema& schema() {
  static const Schema kSchema{
      3,  // 1 had no checksums, 2 had record_sum()
      "CREATE TABLE IF NOT EXISTS entries(key BLOB PRIMARY KEY, value BLOB NOT NULL, crc INTEGER) WITHOUT ROWID",
      {{.name = "entries", .columns = {"key", "value"}, .former_sum = "record_sum(key, value)"}}};
  return kSchema;
}

class SqliteStore final : public Store {
 public:
  SqliteStore(std::string file, std::unique_ptr<Database> database)
      : subject_("store " + std::move(file)),
        database_(std::move(database)),
        put_(*database_, schema().tables[0].insert("OR REPLACE")),
        erase_(*database_, "DELETE FROM entries WHERE key = ?1"),
        list_(*database_,
              "SELECT key, value, " + schema().tables[0].is_whole() + " FROM entries WHERE key >= ?1 ORDER BY key") {}

  Result<std::vector<Entry>> list(std::string_view prefix) override {
    return guarded([&] {
      std::vector<Entry> found;
      Rows rows(list_.bind(1, as_bytes(prefix)));
      while (rows.next()) {
        Entry entry{list_.text(0), list_.text(1)};
        if (!entry.key.starts_with(prefix)) break;
        if (list_.integer(2) == 1) {
          found.push_back(std::move(entry));
        } else {
          damaged_.push_back(std::move(entry.key));
        }
      }
      return Result<std::vector<Entry>>(std::move(found));
    });
  }

  std::vector<std::string> take_damaged() override { return std::exchange(damaged_, {}); }

  Result<void> apply(const std::vector<Change>& changes) override {
    if (changes.empty()) return {};
    return guarded([&]() -> Result<void> {
      Transaction transaction(*database_);
      for (const Change& change : changes) {
        Statement& statement = change.erase ? erase_ : put_;
        statement.bind(1, as_bytes(change.key));
        if (!change.erase) statement.bind(2, as_bytes(change.value));
        statement.run();
      }
      transaction.commit();
      return {};
    });
  }

 private:
  template <class Work>
  auto guarded(Work work) -> decltype(work()) {
    try {
      return work();
    } catch (const SqlFailure& failure) {
      return failure.error(subject_, codes::store_failed);
    }
  }

  std::string subject_;
  std::unique_ptr<Database> database_;
  Statement put_, erase_, list_;
  std::vector<std::string> damaged_;
};

}  // namespace

Result<Opened> open_sqlite(const std::string& file, Durability durability) {
  try {
    auto opened = open_database(file, schema(), durability, SystemClock().wall());
    Opened out{std::make_unique<SqliteStore>(file, std::move(opened.database)), {}};
    if (!opened.notice.empty()) out.notice = "store " + opened.notice;
    return out;
  } catch (const SqlFailure& failure) {
    return failure.error("store " + file, codes::store_failed);
  }
}

}  // namespace weft::store
