#include "weft/replica/owner_table.hpp"

namespace weft::replica {
namespace {

std::int64_t microseconds(Duration left) {  // 0 says "no end"
  return std::max<std::int64_t>(1, std::chrono::duration_cast<std::chrono::microseconds>(left).count());
}

}  // namespace

Result<void> OwnerTable::check(std::string_view key, std::size_t bytes) const {
  if (key.empty() || key.size() > kKeyBytesMax) {
    return Error(codes::bad_name, name_ + ": a key has 1 to " + std::to_string(kKeyBytesMax) + " bytes, not " +
                                      std::to_string(key.size()));
  }
  const std::string what = name_ + ": '" + std::string(key) + "': ";
  if (bytes > limits_.value_bytes_max) {
    return Error(codes::too_large, what + std::to_string(bytes) + " bytes, at most " +
                                       std::to_string(limits_.value_bytes_max) + " are allowed");
  }
  const Entry* before = table_.find(key);
  if (!before && table_.size() >= limits_.entries_max)
    return Error(codes::table_full, what + "all " + std::to_string(limits_.entries_max) + " entries are taken",
                 "erase some, or raise entries_max");
  const std::size_t held = table_.bytes() - (before ? before->bytes : 0);
  if (held + key.size() + bytes > limits_.bytes_max) {
    return Error(codes::table_full,
                 what + std::to_string(bytes) + " bytes do not fit: " + std::to_string(held) + " of " +
                     std::to_string(limits_.bytes_max) + " are taken",
                 "erase some, or raise bytes_max");
  }
  return {};
}

Result<void> OwnerTable::set(std::string_view key, Held value, Duration time_to_live, TimePoint now) {
  expire(now);
  Value encoded = encode_(value.get());
  const std::size_t bytes = to_msgpack(encoded).size();
  if (auto fits = check(key, bytes); !fits) return fits;
  Entry entry{std::move(value), ++sequence_, TimePoint::max(), key.size() + bytes};
  if (time_to_live > Duration::zero() && time_to_live < TimePoint::max() - now) entry.expires = now + time_to_live;
  tell(key, &entry, std::move(encoded), time_to_live);
  table_.put(key, std::move(entry));
  return {};
}

bool OwnerTable::erase(std::string_view key) {
  if (!table_.remove(key)) return false;
  ++sequence_;
  tell(key, nullptr, {}, {});
  return true;
}

void OwnerTable::expire(TimePoint now) {
  while (const auto key = table_.take_expired(now)) {
    ++sequence_;
    tell(*key, nullptr, {}, {});
  }
}

void OwnerTable::tell(std::string_view key, const Entry* entry, Value value, Duration time_to_live) {
  Untold one{{std::string(key), std::move(value), !entry, sequence_, 0}, kChangeBytes};
  if (entry && entry->expires != TimePoint::max()) one.change.left_us = microseconds(time_to_live);
  one.bytes += entry ? entry->bytes : key.size();
  untold_bytes_ += one.bytes;
  untold_.push_back(std::move(one));
}

Changes OwnerTable::take_untold() {
  Changes out{owner_, sequence_, sequence_, {}};
  if (untold_.empty()) return out;
  out.after = untold_.front().change.sequence - 1;
  for (std::size_t bytes = 0; !untold_.empty(); untold_.pop_front()) {
    Untold& next = untold_.front();
    if (!out.changes.empty() && bytes + next.bytes > kPartBytes) break;
    bytes += next.bytes;
    untold_bytes_ -= next.bytes;
    out.sequence = next.change.sequence;
    out.changes.push_back(std::move(next.change));
  }
  return out;
}

SnapshotPart OwnerTable::part_after(std::string_view key, TimePoint now) const {
  SnapshotPart out{owner_, {}};
  std::size_t bytes = 0;
  for (auto at = table_.entries().upper_bound(key); at != table_.entries().end(); ++at) {
    const auto& [name, entry] = *at;
    bytes += entry.bytes + kChangeBytes;
    if (!out.entries.empty() && bytes > kPartBytes) break;
    const std::int64_t left = entry.expires == TimePoint::max() ? 0 : microseconds(entry.expires - now);
    out.entries.push_back({name, encode_(entry.value.get()), false, entry.sequence, left});
  }
  return out;
}

}  // namespace weft::replica
