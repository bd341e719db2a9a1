// Table: values by key, and when each of them ends. Pure. Private to replica.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::replica {

/// A value of the author's type, shared with those who read it.
using Held = std::shared_ptr<const void>;

struct Entry {
  Held value;                  ///< null, in a snapshot under way: it was erased
  std::uint64_t sequence = 0;  ///< of the change that set it
  TimePoint expires = TimePoint::max();
  std::size_t bytes = 0;
};

class Table {
 public:
  using Map = std::map<std::string, Entry, std::less<>>;

  Table() = default;
  Table(Table&&) noexcept = default;  // `expiring_` points into nodes, which move with their map
  Table& operator=(Table&&) noexcept = default;

  const Map& entries() const noexcept { return entries_; }
  const Entry* find(std::string_view key) const;
  void put(std::string_view key, Entry entry);
  bool remove(std::string_view key);
  /// Removes one whose time is over and returns its key.
  std::optional<std::string> take_expired(TimePoint now);
  TimePoint next_expiry() const noexcept { return expiring_.empty() ? TimePoint::max() : expiring_.begin()->first; }
  std::size_t size() const noexcept { return entries_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void forget(Map::iterator at);
  Map entries_;
  std::set<std::pair<TimePoint, std::string_view>> expiring_;
  std::size_t bytes_ = 0;
};

namespace detail {
template <class T>
std::shared_ptr<const T> find(const Table& table, std::string_view key) {
  const Entry* found = table.find(key);
  return found ? std::static_pointer_cast<const T>(found->value) : nullptr;
}
template <class T, class F>
void each(const Table& table, F& visit) {
  for (const auto& [key, entry] : table.entries()) visit(key, *static_cast<const T*>(entry.value.get()));
}
}  // namespace detail

}  // namespace weft::replica
