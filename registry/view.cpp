#include "registry/view.hpp"

#include <algorithm>
#include <tuple>

#include "registry/table.hpp"

namespace weft::registry {

void View::apply(const std::string& registry, const Delta& delta) {
  for (const auto& removal : delta.removals) remove(registry, removal);
  for (const auto& record : delta.upserts) upsert(registry, record);
}

Delta View::take() {
  return pending_.take([this](const Ulid& instance) { return find(instance); });
}

const InstanceRecord* View::find(const Ulid& instance) const {
  const auto it = claims_.find(instance);
  return it == claims_.end() ? nullptr : &winner(it->second);
}

const InstanceRecord* View::holder(const std::string& slot) const {
  const InstanceRecord* newest = nullptr;
  if (slot.empty()) return newest;
  const auto [begin, end] = by_slot_.equal_range(slot);
  for (auto it = begin; it != end; ++it) {
    const InstanceRecord* record = find(it->second);
    if (newest == nullptr || older(*newest, *record)) newest = record;
  }
  return newest;
}

void View::each(const std::function<void(const InstanceRecord&)>& visit) const {
  for (const auto& [instance, claims] : claims_) visit(winner(claims));
}

const InstanceRecord& View::winner(const Claims& claims) {
  const auto less = [](const auto& a, const auto& b) {
    return std::tie(a.second.epoch, a.second.registry) < std::tie(b.second.epoch, b.second.registry);
  };
  return std::max_element(claims.begin(), claims.end(), less)->second;
}

void View::upsert(const std::string& registry, const InstanceRecord& record) {
  Claims& claims = claims_[record.instance];
  if (!claims.empty()) forget_slot(winner(claims));
  claims[registry] = record;
  const InstanceRecord& shown = winner(claims);
  if (!shown.slot.empty()) by_slot_.emplace(shown.slot, shown.instance);
  pending_.changed(record.instance);
}

void View::remove(const std::string& registry, const Removal& removal) {
  const auto it = claims_.find(removal.instance);
  if (it == claims_.end() || !it->second.contains(registry)) return;
  Claims& claims = it->second;
  forget_slot(winner(claims));
  claims.erase(registry);
  if (claims.empty()) {
    claims_.erase(it);
    pending_.removed(removal);
    return;
  }
  const InstanceRecord& shown = winner(claims);
  if (!shown.slot.empty()) by_slot_.emplace(shown.slot, shown.instance);
  pending_.changed(removal.instance);
}

void View::forget_slot(const InstanceRecord& record) {
  const auto [begin, end] = by_slot_.equal_range(record.slot);
  for (auto it = begin; it != end; ++it) {
    if (it->second != record.instance) continue;
    by_slot_.erase(it);
    return;
  }
}

}  // namespace weft::registry
