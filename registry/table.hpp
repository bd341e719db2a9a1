// The table of what is registered with this registry: leases, epochs, slots. Pure: no sockets, no files; the clock
// comes in by constructor. Loop-bound.
#pragma once
#include <deque>
#include <map>
#include <set>
#include <string>

#include "registry/check.hpp"
#include "registry/delta.hpp"

namespace weft::registry {

/// Gives epochs: seconds of wall time, but never the same twice and never back, so that they grow over a lost store
/// and from one registry to the next. Always below kEpochMax.
class Epochs {
 public:
  std::uint64_t next(WallTime now) noexcept;
  /// Whether an epoch that another process sent can have been given by a registry: not when it is decades ahead of the
  /// clock, of the build of this program (for a clock that starts in 1970) and of what this registry gave itself.
  bool plausible(std::uint64_t epoch, WallTime now) const noexcept;
  /// An epoch that another registry gave; without effect unless plausible.
  void observe(std::uint64_t epoch, WallTime now) noexcept;
  /// The last one of this registry, from its store.
  void restore(std::uint64_t last) noexcept;
  std::uint64_t last() const noexcept { return last_; }

 private:
  std::uint64_t last_ = 0;
};

/// True when `a` has to go where both claim one slot. The later claim of the host's node counts, which does not rest on
/// wall time; between instances that were started without a node the later start, at a tie the later registration.
bool older(const InstanceRecord& a, const InstanceRecord& b) noexcept;

class Table {
 public:
  struct Options {
    std::string mesh, host;
    Duration lease = 3s;
    std::size_t instances_max = 65'536;
    std::size_t bytes_max = 16 * 1024 * 1024;  ///< of all records, by weight_of()
    std::size_t fenced_max = 10'000;           ///< replaced instances that are remembered; the oldest is forgotten
  };
  /// Borrows `clock`.
  Table(const Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {}

  /// A record of the store: unconfirmed, for one lease. What this table would refuse is skipped.
  void restore(InstanceRecord record);
  /// Enters the instance, or again under an epoch above the one it sends, and fences an older one in its slot. `rival`
  /// (may be null) fills the slot at another registry. A start in the future is cut to now. Returns the record as it is
  /// held. Errors: those of check_record(), `bad_value` (an epoch or a claim beyond what is plausible), `table_full`,
  /// `fenced`.
  Result<const InstanceRecord*> enter(InstanceRecord record, const InstanceRecord* rival = nullptr);
  /// Errors: `unknown_instance`, `fenced`.
  Result<void> renew(const wire::RenewRequest& request);
  /// False when nobody was removed.
  bool leave(const wire::DeregisterRequest& request);
  /// Another registry has this record: drops what is older here (the same instance, or another in its slot).
  void yield_to(const InstanceRecord& foreign);
  /// Removes what was not renewed in time; returns how many.
  std::size_t expire();
  /// Every lease begins anew: this process slept, so nobody could renew.
  void pardon();
  /// When expire() has work next, if ever.
  std::optional<TimePoint> next_expiry() const;
  /// What changed since the last call.
  Delta take();
  bool changed() const noexcept { return !pending_.empty(); }

  const InstanceRecord* find(const Ulid& instance) const;
  const InstanceRecord* holder(const std::string& slot) const;
  std::vector<InstanceRecord> records() const;
  std::size_t size() const noexcept { return held_.size(); }
  /// Registrations whose start was in the future by this registry's clock.
  std::uint64_t starts_cut() const noexcept { return starts_cut_; }
  std::size_t unconfirmed() const noexcept { return unconfirmed_; }
  Epochs& epochs() noexcept { return epochs_; }
  const Epochs& epochs() const noexcept { return epochs_; }
  const Options& options() const noexcept { return options_; }

 private:
  struct Held {
    InstanceRecord record;
    TimePoint until{};
  };
  void put(InstanceRecord record);
  void extend(Held& held);
  void remove(const Ulid& instance, std::string reason);
  void fence(const Ulid& instance, std::string reason);
  void confirm(InstanceRecord& record);
  Result<void> check_plausible(const InstanceRecord& record) const;
  void cut_start(InstanceRecord& record);
  Result<void> check_room(const InstanceRecord& record, const InstanceRecord* replaced) const;
  Result<void> check_slot_free(const InstanceRecord& record, const InstanceRecord* holder) const;

  const Clock& clock_;
  Options options_;
  Epochs epochs_;
  std::map<Ulid, Held> held_;
  std::map<std::string, Ulid> by_slot_;
  std::set<std::pair<TimePoint, Ulid>> leases_;
  std::map<Ulid, std::string> fenced_;  // and its slot
  std::deque<Ulid> fenced_order_;
  Pending pending_;
  std::size_t bytes_ = 0;
  std::size_t unconfirmed_ = 0;
  std::uint64_t starts_cut_ = 0;
};

}  // namespace weft::registry
