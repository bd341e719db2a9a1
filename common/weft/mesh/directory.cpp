#include <set>

#include "weft/mesh/directory.hpp"

namespace weft::mesh {

void Directory::replace(const Snapshot& snapshot, bool keep_missing) {
  term_ = snapshot.term;
  sequence_ = snapshot.sequence;
  if (!keep_missing) {
    std::set<Ulid> held;
    for (const auto& record : snapshot.records) held.insert(record.instance);
    std::vector<Removal> missing;
    for (const auto& [id, record] : records_) {
      if (!held.contains(id)) missing.push_back({id, record.epoch, record.agent, record.host, "no longer registered"});
    }
    for (const auto& removal : missing) remove(removal);
  }
  for (const auto& record : snapshot.records) upsert(record);
}

bool Directory::apply(const Changes& changes) {
  if (changes.term != term_ || changes.sequence > sequence_ + 1) return false;
  if (changes.sequence <= sequence_) return true;  // a snapshot held it already
  sequence_ = changes.sequence;
  for (const auto& removal : changes.removals) remove(removal);
  for (const auto& record : changes.upserts) upsert(record);
  return true;
}

void Directory::upsert(const InstanceRecord& record) {
  const auto [at, fresh] = records_.try_emplace(record.instance, record);
  if (!fresh) {
    if (at->second == record || at->second.epoch > record.epoch) return;
    at->second = record;
  } else {
    by_agent_.emplace(record.agent, record.instance);
  }
  for (const auto& watcher : watchers_) watcher(at->second, nullptr);
}

void Directory::remove(const Removal& removal) {
  const auto found = records_.find(removal.instance);
  if (found == records_.end() || found->second.epoch > removal.epoch) return;
  const InstanceRecord gone = std::move(found->second);
  records_.erase(found);
  const auto [first, last] = by_agent_.equal_range(gone.agent);
  for (auto at = first; at != last; ++at) {
    if (at->second == gone.instance) {
      by_agent_.erase(at);
      break;
    }
  }
  for (const auto& watcher : watchers_) watcher(gone, &removal);
}

std::vector<const InstanceRecord*> Directory::instances(std::string_view agent) const {
  std::vector<const InstanceRecord*> found;
  const auto [first, last] = by_agent_.equal_range(agent);
  for (auto at = first; at != last; ++at) found.push_back(&records_.at(at->second));
  return found;
}

const InstanceRecord* Directory::find(const Ulid& instance) const noexcept {
  const auto found = records_.find(instance);
  return found == records_.end() ? nullptr : &found->second;
}

std::vector<const InstanceRecord*> Directory::all() const {
  std::vector<const InstanceRecord*> records;
  for (const auto& [id, record] : records_) records.push_back(&record);
  return records;
}

std::vector<std::string_view> Directory::agent_names() const {
  std::vector<std::string_view> names;
  for (auto at = by_agent_.begin(); at != by_agent_.end(); at = by_agent_.upper_bound(at->first))
    names.emplace_back(at->first);
  return names;
}

}  // namespace weft::mesh
