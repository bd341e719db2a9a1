#include "weft/replica/table.hpp"

namespace weft::replica {

const Entry* Table::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void Table::forget(Map::iterator at) {
  bytes_ -= at->second.bytes;
  if (at->second.expires != TimePoint::max()) expiring_.erase({at->second.expires, at->first});
}

void Table::put(std::string_view key, Entry entry) {
  auto at = entries_.find(key);
  if (at == entries_.end())
    at = entries_.emplace(key, Entry()).first;
  else
    forget(at);
  at->second = std::move(entry);
  bytes_ += at->second.bytes;
  if (at->second.expires != TimePoint::max()) expiring_.emplace(at->second.expires, at->first);
}

bool Table::remove(std::string_view key) {
  const auto at = entries_.find(key);
  if (at == entries_.end()) return false;
  forget(at);
  entries_.erase(at);
  return true;
}

std::optional<std::string> Table::take_expired(TimePoint now) {
  if (next_expiry() > now) return std::nullopt;
  std::string key(expiring_.begin()->second);
  remove(key);
  return key;
}

}  // namespace weft::replica
