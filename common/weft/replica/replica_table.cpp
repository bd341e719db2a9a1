#include "weft/replica/replica_table.hpp"

namespace weft::replica {

void ReplicaTable::hear(const Changes& message, TimePoint now) {
  if (message.owner != owner_ && !adopt(message, now)) return;
  heard_at_ = now;
  if (message.after > position_) {
    if (synced_ || staging_) ++counts_.gaps;
    return start_over(message.sequence);
  }
  for (const Change& change : message.changes) {
    if (change.sequence <= position_) continue;
    position_ = change.sequence;
    if (synced_)
      apply(change, now);
    else if (staging_)
      stage(change, now);
  }
  switch_when_complete(now);
}

/// The newest instance counts; an older one does again when nobody else is heard, for clocks may go back.
bool ReplicaTable::adopt(const Changes& message, TimePoint now) {
  if (!owner_.is_nil()) {
    if (message.owner < owner_ && !silent(now)) {
      ++counts_.strangers;
      return false;
    }
    ++counts_.restarts;
  }
  owner_ = message.owner;
  start_over(message.sequence);
  return true;
}

void ReplicaTable::start_over(std::uint64_t position) {
  if (synced_) live_position_ = position_;
  synced_ = false;
  staging_.reset();
  end_.reset();
  ++attempt_;
  position_ = position;
}

Entry ReplicaTable::entry_of(const Change& change, TimePoint now) {
  Entry entry{{}, change.sequence, TimePoint::max(), 0};
  if (change.erased) return entry;
  entry.value = decode_(change.value);
  if (!entry.value) ++counts_.undecodable;
  const auto left = std::chrono::microseconds(change.left_us);
  if (change.left_us > 0 && left < std::chrono::duration_cast<std::chrono::microseconds>(TimePoint::max() - now))
    entry.expires = now + left;
  return entry;
}

void ReplicaTable::apply(const Change& change, TimePoint now) {
  Entry entry = entry_of(change, now);
  if (!entry.value) {
    if (live_.remove(change.key)) tell(change.key, nullptr);
    return;
  }
  live_.put(change.key, std::move(entry));
  if (live_.size() > entries_max_) return start_over(position_);  // the snapshot tells that it is too much
  tell(change.key, live_.find(change.key));
}

/// A snapshot takes its time: of what it says of a key and what was heard of it, the later counts.
void ReplicaTable::stage(const Change& change, TimePoint now) {
  const Entry* known = staging_->find(change.key);
  if (!known || known->sequence < change.sequence) staging_->put(change.key, entry_of(change, now));
}

std::uint64_t ReplicaTable::begin() {
  staging_.emplace();
  end_.reset();
  return ++attempt_;
}

Result<void> ReplicaTable::check(std::uint64_t attempt, const Ulid& owner) const {
  if (attempt == attempt_ && owner == owner_ && staging_) return {};
  return Error(codes::peer_gone, "the snapshot is void: changes were lost while it was taken");
}

Result<void> ReplicaTable::take(std::uint64_t attempt, const SnapshotPart& part, TimePoint now) {
  if (auto good = check(attempt, part.owner); !good) return good;
  for (const Change& entry : part.entries) stage(entry, now);
  if (staging_->size() <= entries_max_) return {};
  return Error(codes::table_full, "a replica holds at most " + std::to_string(entries_max_) + " entries");
}

Result<void> ReplicaTable::finish(std::uint64_t attempt, const SnapshotEnd& end, TimePoint now) {
  if (auto good = check(attempt, end.owner); !good) return good;
  end_ = end.sequence;
  switch_when_complete(now);
  return {};
}

void ReplicaTable::give_up(std::uint64_t attempt) noexcept {
  if (attempt != attempt_) return;
  staging_.reset();
  end_.reset();
}

/// Between its beginning and its end the snapshot may show anything: only with all changes up to its end it is the
/// owner's table as it was at one moment.
void ReplicaTable::switch_when_complete(TimePoint now) {
  if (!end_ || position_ < *end_) return;
  const bool same_owner = live_owner_ == owner_;
  Table before = std::exchange(live_, std::move(*staging_));
  staging_.reset();
  end_.reset();
  live_owner_ = owner_;
  synced_ = true;
  ++counts_.snapshots;
  std::vector<std::string> erased;
  for (const auto& [key, entry] : live_.entries())
    if (!entry.value) erased.push_back(key);
  for (const auto& key : erased) live_.remove(key);
  for (const auto& [key, entry] : before.entries())
    if (!live_.find(key)) tell(key, nullptr);
  for (const auto& [key, entry] : live_.entries()) {
    const Entry* known = before.find(key);
    if (!known || !same_owner || known->sequence != entry.sequence) tell(key, &entry);
  }
  expire(now);
}

void ReplicaTable::expire(TimePoint now) {
  while (const auto key = live_.take_expired(now)) tell(*key, nullptr);
}

void ReplicaTable::tell(const std::string& key, const Entry* entry) const {
  if (changed_) changed_(key, entry ? entry->value.get() : nullptr);
}

}  // namespace weft::replica
