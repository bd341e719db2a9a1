// OwnerTable: what an owner decides: what it takes, the number of each change, and what it tells its replicas. Pure.
// Private to replica.
#pragma once
#include <deque>
#include <string>

#include "weft/replica/messages.hpp"
#include "weft/replica/table.hpp"

namespace weft {

struct ReplicatedLimits {
  std::size_t entries_max = 200'000;
  std::size_t bytes_max = 64 * 1024 * 1024;   ///< of all keys and values, encoded
  std::size_t value_bytes_max = 1024 * 1024;  ///< of one; less where limits.payload_max_bytes is
};

namespace replica {

inline constexpr std::size_t kKeyBytesMax = 256;

class OwnerTable {
 public:
  using Encode = Value (*)(const void* value);

  /// `name` is "agent.name", for the texts of errors.
  OwnerTable(std::string name, const Ulid& owner, const ReplicatedLimits& limits, Encode encode)
      : name_(std::move(name)), owner_(owner), limits_(limits), encode_(encode) {}

  /// Errors: `bad_name`, `too_large`, `table_full`; what was there before stays.
  Result<void> set(std::string_view key, Held value, Duration time_to_live, TimePoint now);
  bool erase(std::string_view key);
  void expire(TimePoint now);

  const Table& table() const noexcept { return table_; }
  std::uint64_t sequence() const noexcept { return sequence_; }
  std::size_t untold() const noexcept { return untold_.size(); }
  std::size_t untold_bytes() const noexcept { return untold_bytes_; }
  /// The next changes to tell, at most a message full; without any: where this stands.
  Changes take_untold();
  /// What lies behind `key`, at most a message full; nothing: that was all. "" is before all keys.
  SnapshotPart part_after(std::string_view key, TimePoint now) const;
  SnapshotEnd end() const { return {owner_, sequence_}; }

 private:
  struct Untold {
    Change change;
    std::size_t bytes;
  };
  Result<void> check(std::string_view key, std::size_t bytes) const;
  void tell(std::string_view key, const Entry* entry, Value value, Duration time_to_live);

  std::string name_;
  Ulid owner_;
  ReplicatedLimits limits_;
  Encode encode_;
  Table table_;
  std::uint64_t sequence_ = 0;
  std::deque<Untold> untold_;
  std::size_t untold_bytes_ = 0;
};

}  // namespace replica
}  // namespace weft
