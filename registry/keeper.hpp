// Keeper: the book's records in a store, so that a registry that starts anew still knows everybody. A store that is
// full or away does not stop the registry: what was not written is made up for as a whole when it is back.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "registry/book.hpp"
#include "weft/store/store.hpp"

namespace weft::registry {

class Keeper {
 public:
  using Open = std::function<Result<store::Opened>()>;
  /// `open` is called by load(), and by save() for as long as it fails. `boot`: which start of the machine this is;
  /// when the store is of another one, nobody of this host is alive any more. Empty: not known.
  explicit Keeper(Open open, std::string boot = {}) : open_(std::move(open)), boot_(std::move(boot)) {}

  struct Loaded {
    std::size_t records = 0;
    std::size_t unreadable = 0;  ///< skipped, and removed by the next save()
    std::size_t dead = 0;        ///< of this host, from before the machine started anew; likewise
    std::string notice;          ///< of the store; may be empty
  };
  /// Fills `book`. Errors: those of the store; the book is as it was then.
  Result<Loaded> load(Book& book);
  /// Writes what `kept` says, all or nothing, or, after a failure, everything that differs. Errors: those of the store.
  Result<void> save(Book& book, const std::vector<Book::Kept>& kept);
  /// True while the store does not hold what the book holds.
  bool behind() const noexcept { return behind_; }

 private:
  Result<std::string> open(Book& book);
  Result<bool> machine_restarted() const;
  Result<std::vector<store::Store::Change>> difference(const Book& book) const;

  Open open_;
  std::string boot_;
  std::unique_ptr<store::Store> store_;
  bool behind_ = true;
};

}  // namespace weft::registry
