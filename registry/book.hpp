// Book: all that a registry knows and decides, without sockets and files: its own table, the replicas of its peers, the
// merged view, and the two feeds that are published. The server moves bytes between it and the network. Pure; the clock
// comes in by constructor. Loop-bound.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "registry/replica.hpp"
#include "registry/table.hpp"
#include "registry/view.hpp"

namespace weft::registry {

class Book {
 public:
  /// Borrows `clock`. `term`: new at each start.
  Book(const Clock& clock, Table::Options options, const Ulid& term);
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // ---- at the start
  /// A record of the store: of this registry's own table, or what another registry said.
  void restore(InstanceRecord record);
  void restore_epoch(std::uint64_t epoch) { table_.epochs().restore(epoch); }

  // ---- what agents ask
  /// Errors: those of Table::enter().
  Result<wire::RegisterReply> enter(InstanceRecord record);
  /// Errors: those of Table::renew(). The reply is about `registry.changes`.
  Result<wire::RenewReply> renew(const wire::RenewRequest& request);
  bool leave(const wire::DeregisterRequest& request) { return table_.leave(request); }

  // ---- what peers say
  /// A peer's own records. Errors: `wrong_mesh`, `bad_value` (it has our host name).
  Result<void> replace(const wire::Snapshot& snapshot);
  enum class Followed { yes, gap, unknown };
  /// By the term of `changes`; `unknown`: no replica is of that term.
  Followed apply(const wire::Changes& changes);
  /// The peer lives: its replica holds for one more lease.
  void heard(const std::string& registry);
  const Replica* replica(const std::string& registry) const;

  // ---- time
  /// Ends leases, and replicas of silent peers. Call at next_due() or sooner; when called much later this process slept
  /// itself, and all leases begin anew.
  void tick();
  TimePoint next_due() const;

  // ---- what to publish and to keep
  struct Kept {
    std::string registry;  ///< who writes these records
    Delta delta;
  };
  struct Output {
    std::vector<wire::Changes> own, all;  ///< for registry.own and registry.changes
    std::vector<Kept> kept;               ///< for the store, in this order
    bool empty() const noexcept { return own.empty() && all.empty() && kept.empty(); }
  };
  /// Since the last call.
  Output flush();
  bool changed() const noexcept { return table_.changed() || view_.changed(); }
  /// The whole mesh, or what this registry writes. Call flush() before and publish what it gives.
  wire::Snapshot snapshot() const;
  wire::Snapshot own_snapshot() const;
  wire::RenewReply own_position() const { return {own_feed_.term(), own_feed_.sequence()}; }
  /// Own records and replicas, as they should stand in the store.
  std::vector<InstanceRecord> kept() const;

  const Table& table() const noexcept { return table_; }
  const View& view() const noexcept { return view_; }
  const std::string& host() const noexcept { return table_.options().host; }
  std::uint64_t leases_expired() const noexcept { return leases_expired_; }

 private:
  struct Peer {
    Replica replica;
    TimePoint until{};
  };
  Peer& peer(const std::string& registry);
  void take_in(const std::string& registry, Delta delta);
  void expire_peers();

  const Clock& clock_;
  Table table_;
  View view_;
  Feed own_feed_, all_feed_;
  std::map<std::string, Peer> peers_;
  std::vector<Kept> kept_;
  TimePoint last_tick_;
  std::uint64_t leases_expired_ = 0;
};

}  // namespace weft::registry
