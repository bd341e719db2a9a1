// ReplicaTable: what a replica decides: what follows what it has, when something was lost, and how a snapshot and the
// changes heard beside it become what its owner has. Pure. Private to replica.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "weft/replica/messages.hpp"
#include "weft/replica/table.hpp"

namespace weft::replica {

/// How often what happened, since the start.
struct ReplicaCounts {
  std::uint64_t gaps = 0;         ///< changes were lost on the way
  std::uint64_t restarts = 0;     ///< another instance of the owner took over
  std::uint64_t snapshots = 0;    ///< taken to their end
  std::uint64_t undecodable = 0;  ///< values that are not of this type: left out
  std::uint64_t strangers = 0;    ///< messages of an older instance while a newer one is heard: ignored
};

class ReplicaTable {
 public:
  using Decode = Held (*)(const Value& value);  ///< null: it is none
  using Changed = std::function<void(const std::string& key, const void* value)>;

  /// `changed` is told of each change after it was made; null: erased, or its time was over.
  ReplicaTable(std::size_t entries_max, Decode decode, Changed changed)
      : entries_max_(entries_max), decode_(decode), changed_(std::move(changed)) {}

  void hear(const Changes& message, TimePoint now);
  void expire(TimePoint now);

  /// True when somebody should begin() and ask owner() for a snapshot.
  bool wants_snapshot() const noexcept { return !owner_.is_nil() && !synced_ && !staging_; }
  /// Returns the number of this attempt. A gap meanwhile makes it void: what it is given later is an error.
  std::uint64_t begin();
  /// Errors: `peer_gone` (void, or of another owner), `table_full`.
  Result<void> take(std::uint64_t attempt, const SnapshotPart& part, TimePoint now);
  Result<void> finish(std::uint64_t attempt, const SnapshotEnd& end, TimePoint now);
  void give_up(std::uint64_t attempt) noexcept;

  /// Nothing that the owner told is missing, and it is heard.
  bool synced(TimePoint now) const noexcept { return synced_ && !silent(now); }
  bool silent(TimePoint now) const noexcept { return owner_.is_nil() || now - heard_at_ > kSilence; }
  const Table& table() const noexcept { return live_; }
  const Ulid& owner() const noexcept { return owner_; }
  TimePoint heard_at() const noexcept { return heard_at_; }
  /// Changes that the owner is known to have made and that are not in table().
  std::uint64_t behind() const noexcept { return synced_ || live_owner_ != owner_ ? 0 : position_ - live_position_; }
  const ReplicaCounts& counts() const noexcept { return counts_; }
  void stop_telling() noexcept { changed_ = nullptr; }

 private:
  bool adopt(const Changes& message, TimePoint now);
  void start_over(std::uint64_t position);
  void apply(const Change& change, TimePoint now);
  void stage(const Change& change, TimePoint now);
  Entry entry_of(const Change& change, TimePoint now);
  Result<void> check(std::uint64_t attempt, const Ulid& owner) const;
  void switch_when_complete(TimePoint now);
  void tell(const std::string& key, const Entry* entry) const;

  std::size_t entries_max_;
  Decode decode_;
  Changed changed_;
  Ulid owner_;  // nil: none was heard yet
  TimePoint heard_at_{};
  std::uint64_t position_ = 0;  // every change up to here was heard since the snapshot began, or is in table()
  bool synced_ = false;
  Table live_;
  Ulid live_owner_;
  std::uint64_t live_position_ = 0;
  std::optional<Table> staging_;
  std::optional<std::uint64_t> end_;  // the snapshot is there; with the changes up to this it is whole
  std::uint64_t attempt_ = 0;
  ReplicaCounts counts_;
};

}  // namespace weft::replica
