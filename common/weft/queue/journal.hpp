// Journal: what must outlive the process, written in batches: all that one turn of the loop changes is one transaction.
// Private to queue.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/lifetime.hpp"
#include "weft/observe/observe.hpp"
#include "weft/queue/queue.hpp"
#include "weft/store/store.hpp"

namespace weft::queue {

/// Loop-bound. What cannot be written is kept and tried again; who waits for it is told.
class Journal {
 public:
  Journal(Loop& loop, observe::Log& log, std::unique_ptr<store::Store> store);
  ~Journal();

  /// Told of the key of each record that is damaged and therefore not listed. May be empty.
  std::function<void(const std::string& key)> on_damage;
  /// Some of what a former process wrote may be missing: its file was damaged.
  bool mended = false;

  void put(std::string key, std::string value);
  void erase(std::string key);
  /// Resolves when all that was put and erased so far is written, at the end of this turn. Errors: those of
  /// store::Store::apply().
  Task<Result<void>> written();
  /// Writes now.
  Result<void> flush();
  Result<std::vector<store::Store::Entry>> list(std::string_view prefix);

 private:
  void change(std::string key, std::string value, bool erase);

  Loop& loop_;
  observe::Log& log_;
  std::unique_ptr<store::Store> store_;
  std::map<std::string, store::Store::Change> pending_;  // the last change of each key
  std::vector<Completion<Result<void>>::Completer> waiters_;
  bool scheduled_ = false;
  Timer retry_;
  Lifetime lifetime_;
};

/// The journals of a process, by durability; each is opened when it is first needed. Loop-bound.
class Journals {
 public:
  /// `file` is what the names of the files begin with; empty: in memory.
  Journals(Loop& loop, observe::Log& log, std::string file) : loop_(loop), log_(log), file_(std::move(file)) {}

  /// For items of that durability, and for dead letters of their queues (those of `none` are with `os`). Errors: those
  /// of store::open_sqlite(); after one, the file is tried again a second later.
  Result<Journal*> of(Durability durability);
  /// The same where a former process left one; null: it did not.
  Result<Journal*> left(Durability durability);
  /// What has to be kept somehow while its file cannot be opened.
  Journal& in_memory();
  void flush();
  /// Told, beside the log, of a damaged file, which was kept and mended, and of a damaged record. May be empty.
  std::function<void(const Error&)> on_damage;
  /// Called, beside the log, when a file cannot be opened: once, until it could be opened. May be empty.
  std::function<void(const Error&)> on_failure;

 private:
  struct Place {
    std::unique_ptr<Journal> journal;
    bool failing = false;  ///< and reported
    TimePoint retry{};
    Error error;
  };
  std::string path(Durability durability) const;
  void damaged(const Error& what);

  Loop& loop_;
  observe::Log& log_;
  std::string file_;
  Place os_, fsync_;
  std::unique_ptr<Journal> memory_;
};

/// An unfinished item as it is kept: at `i/<queue>/<id>`; what happens to it later is beside it at `n/<queue>/<id>`.
struct StoredItem {
  std::string queue;
  Ulid id;
  std::uint64_t sequence = 0;
  Priority priority = Priority::normal;
  std::string key;
  std::map<std::string, std::string> headers;
  std::int64_t timeout_us = 0, pushed_us = 0;
  std::uint8_t encoding = 0;
  Bytes payload;
  std::string traceparent;  ///< of who pushed it; empty: none
  WEFT_FIELDS(StoredItem, queue, id, sequence, priority, key, headers, timeout_us, pushed_us, encoding, payload,
              traceparent)
};
struct StoredNote {
  std::vector<Attempt> attempts;
  bool given = false;  ///< kept for at_most_once only: somebody may have begun
  WEFT_FIELDS(StoredNote, attempts, given)
};
struct StoredBody {
  std::uint8_t encoding = 0;
  Bytes payload;
  WEFT_FIELDS(StoredBody, encoding, payload)
};
template <class T>
std::string stored(const T& value) {
  const Bytes bytes = to_msgpack(to_value(value));
  return std::string(as_text(bytes));
}
template <class T>
Result<T> read_stored(std::string_view text) {
  auto value = from_msgpack(as_bytes(text));
  if (!value) return value.error();
  return from_value<T>(*value);
}

}  // namespace weft::queue
