// Directory: the live copy of the registry's records. Pure.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/ulid.hpp"
#include "weft/wire/record.hpp"

namespace weft::mesh {

using wire::Changes;
using wire::InstanceRecord;
using wire::Removal;
using wire::Snapshot;

/// The live copy of the registry's records. Pure. Lookups are by agent name.
class Directory {
 public:
  /// Called after each change: an instance is new or changed (`removed` null), or gone (`removed` says why).
  using Watcher = std::function<void(const InstanceRecord& record, const Removal* removed)>;

  /// Holds what `snapshot` holds. With `keep_missing`, records that it lacks stay: a registry that was just restarted
  /// may not know everybody yet.
  void replace(const Snapshot& snapshot, bool keep_missing = false);
  /// False when `changes` does not follow what is held: take a snapshot.
  bool apply(const Changes& changes);
  bool follows(const Ulid& term, std::uint64_t sequence) const noexcept {
    return term_ == term && sequence_ == sequence;
  }
  bool filled() const noexcept { return !term_.is_nil(); }
  std::vector<const InstanceRecord*> instances(std::string_view agent) const;  ///< borrowed until the next change
  const InstanceRecord* find(const Ulid& instance) const noexcept;
  std::vector<const InstanceRecord*> all() const;
  std::vector<std::string_view> agent_names() const;
  void watch(Watcher watcher) { watchers_.push_back(std::move(watcher)); }

 private:
  void upsert(const InstanceRecord& record);
  void remove(const Removal& removal);
  std::map<Ulid, InstanceRecord> records_;
  std::multimap<std::string, Ulid, std::less<>> by_agent_;
  std::vector<Watcher> watchers_;
  Ulid term_;
  std::uint64_t sequence_ = 0;
};

}  // namespace weft::mesh
