// View: the whole mesh as this registry sees it: its own table and the replicas, merged. An instance that two
// registries claim (it moved while they were cut apart) is shown once, by its higher epoch. Pure. Loop-bound.
#pragma once
#include <functional>
#include <map>
#include <string>

#include "registry/delta.hpp"

namespace weft::registry {

class View {
 public:
  /// What changed in the records that `registry` writes.
  void apply(const std::string& registry, const Delta& delta);
  /// What changed in the merged view since the last call.
  Delta take();
  bool changed() const noexcept { return !pending_.empty(); }

  const InstanceRecord* find(const Ulid& instance) const;
  /// The newest instance in the slot; null when nobody fills it.
  const InstanceRecord* holder(const std::string& slot) const;
  /// In order of instance. Each is borrowed during the call.
  void each(const std::function<void(const InstanceRecord&)>& visit) const;
  std::size_t size() const noexcept { return claims_.size(); }

 private:
  using Claims = std::map<std::string, InstanceRecord>;  // by the registry that writes it
  static const InstanceRecord& winner(const Claims& claims);
  void upsert(const std::string& registry, const InstanceRecord& record);
  void remove(const std::string& registry, const Removal& removal);
  void forget_slot(const InstanceRecord& record);

  std::map<Ulid, Claims> claims_;
  std::multimap<std::string, Ulid> by_slot_;
  Pending pending_;
};

}  // namespace weft::registry
