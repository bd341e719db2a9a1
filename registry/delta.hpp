// Delta: what changed in a set of records; Pending: changes gathered until somebody takes them; Feed: deltas with
// sequence numbers. Pure values.
#pragma once
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "weft/wire/record.hpp"

namespace weft::registry {

using wire::InstanceRecord;
using wire::Removal;

struct Delta {
  std::vector<InstanceRecord> upserts;
  std::vector<Removal> removals;
  bool empty() const noexcept { return upserts.empty() && removals.empty(); }
};

inline Removal removal_of(const InstanceRecord& record, std::string reason) {
  return {record.instance, record.epoch, record.agent, record.host, std::move(reason)};
}

/// The latest change of each instance; those before it are of no interest to anybody.
class Pending {
 public:
  void changed(const Ulid& instance) { latest_[instance] = std::nullopt; }
  void removed(Removal removal) { latest_[removal.instance] = std::move(removal); }
  bool empty() const noexcept { return latest_.empty(); }
  /// `find(id)` gives the record as it is now, or null.
  template <class Find>
  Delta take(Find find) {
    Delta delta;
    for (auto& [instance, removal] : std::exchange(latest_, {})) {
      if (removal) {
        delta.removals.push_back(std::move(*removal));
      } else if (const InstanceRecord* record = find(instance)) {
        delta.upserts.push_back(*record);
      }
    }
    return delta;
  }

 private:
  std::map<Ulid, std::optional<Removal>> latest_;
};

/// Numbers deltas for publication: one term at each start of the registry, sequences from 1 without gaps.
class Feed {
 public:
  static constexpr std::size_t kPartMax = 500;  ///< records in one publication

  explicit Feed(Ulid term) : term_(term) {}
  const Ulid& term() const noexcept { return term_; }
  std::uint64_t sequence() const noexcept { return sequence_; }
  /// In parts of at most kPartMax; nothing for an empty delta.
  std::vector<wire::Changes> number(Delta delta) {
    std::vector<wire::Changes> parts;
    auto upsert = delta.upserts.begin();
    auto removal = delta.removals.begin();
    while (upsert != delta.upserts.end() || removal != delta.removals.end()) {
      wire::Changes part{term_, ++sequence_, {}, {}};
      for (std::size_t n = 0; n < kPartMax && removal != delta.removals.end(); ++n)
        part.removals.push_back(std::move(*removal++));
      for (std::size_t n = part.removals.size(); n < kPartMax && upsert != delta.upserts.end(); ++n)
        part.upserts.push_back(std::move(*upsert++));
      parts.push_back(std::move(part));
    }
    return parts;
  }

 private:
  Ulid term_;
  std::uint64_t sequence_ = 0;
};

}  // namespace weft::registry
