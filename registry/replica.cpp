#include "registry/replica.hpp"

#include <set>

namespace weft::registry {

void Replica::restore(InstanceRecord record) {
  if (!acceptable(record)) return;
  record.confirmed = false;
  records_[record.instance] = std::move(record);
}

Delta Replica::replace(const wire::Snapshot& snapshot) {
  Delta delta;
  std::set<Ulid> listed;
  for (const auto& record : snapshot.records) listed.insert(record.instance);
  std::vector<Removal> gone;
  for (const auto& [instance, record] : records_)
    if (!listed.contains(instance)) gone.push_back(removal_of(record, "gone from the registry of " + record.registry));
  for (const auto& removal : gone) remove(removal, delta);
  for (const auto& record : snapshot.records) upsert(record, delta);
  term_ = snapshot.term;
  sequence_ = snapshot.sequence;
  return delta;
}

std::optional<Delta> Replica::apply(const wire::Changes& changes) {
  if (changes.term != term_ || changes.sequence > sequence_ + 1) return std::nullopt;
  Delta delta;
  if (changes.sequence <= sequence_) return delta;
  for (const auto& removal : changes.removals) remove(removal, delta);
  for (const auto& record : changes.upserts) upsert(record, delta);
  sequence_ = changes.sequence;
  return delta;
}

Delta Replica::clear(const std::string& reason) {
  Delta delta;
  for (const auto& [instance, record] : records_) delta.removals.push_back(removal_of(record, reason));
  records_.clear();
  term_ = {};
  sequence_ = 0;
  return delta;
}

bool Replica::acceptable(const InstanceRecord& record) {
  const bool room = records_.size() < options_.instances_max || records_.contains(record.instance);
  const bool plausible = !options_.plausible || options_.plausible(record.epoch);
  if (room && plausible && record.registry == options_.registry && check_record(record, options_.mesh)) return true;
  ++refused_;
  return false;
}

void Replica::upsert(const InstanceRecord& record, Delta& delta) {
  if (!acceptable(record)) return;
  InstanceRecord& held = records_[record.instance];
  if (held == record) return;
  held = record;
  delta.upserts.push_back(record);
}

void Replica::remove(const Removal& removal, Delta& delta) {
  const auto it = records_.find(removal.instance);
  if (it == records_.end() || it->second.epoch > removal.epoch) return;
  delta.removals.push_back(removal_of(it->second, shortened(removal.reason)));
  records_.erase(it);
}

}  // namespace weft::registry
