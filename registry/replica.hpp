// Replica: a copy of what one other registry writes. A snapshot, then deltas in sequence; whatever does not follow asks
// for a new snapshot. Pure. Loop-bound.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "registry/check.hpp"
#include "registry/delta.hpp"

namespace weft::registry {

class Replica {
 public:
  struct Options {
    std::string mesh;
    std::string registry;  ///< host name of the one that writes
    std::size_t instances_max = 65'536;
    std::function<bool(std::uint64_t epoch)> plausible{};  ///< whether a registry can have given it; unset: any
  };
  explicit Replica(Options options) : options_(std::move(options)) {}

  /// A record of the store, unconfirmed: what that registry said before this one started anew.
  void restore(InstanceRecord record);
  /// What changed by it. Records that name another writer or break the limits are skipped and counted.
  Delta replace(const wire::Snapshot& snapshot);
  /// Null: it does not follow what is held. One that is held already changes nothing.
  std::optional<Delta> apply(const wire::Changes& changes);
  /// Forgets all of it, and where it stood.
  Delta clear(const std::string& reason);

  const std::string& registry() const noexcept { return options_.registry; }
  /// Nil: nothing followed yet.
  const Ulid& term() const noexcept { return term_; }
  std::uint64_t sequence() const noexcept { return sequence_; }
  const std::map<Ulid, InstanceRecord>& records() const noexcept { return records_; }
  std::uint64_t refused() const noexcept { return refused_; }

 private:
  bool acceptable(const InstanceRecord& record);
  void upsert(const InstanceRecord& record, Delta& delta);
  void remove(const Removal& removal, Delta& delta);

  Options options_;
  Ulid term_;
  std::uint64_t sequence_ = 0;
  std::map<Ulid, InstanceRecord> records_;
  std::uint64_t refused_ = 0;
};

}  // namespace weft::registry
