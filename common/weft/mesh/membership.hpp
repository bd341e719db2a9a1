// Membership: keeps this process registered, and its directory a true copy of the registry's records. Private to mesh.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "weft/mesh/directory.hpp"
#include "weft/mesh/names.hpp"
#include "weft/mesh/options.hpp"
#include "weft/observe/observe.hpp"
#include "weft/peer/peer.hpp"

namespace weft::mesh {

/// Registers with the own host's registry; with another one only when that has been away for a while, and returns as
/// soon as it is back. Tries for ever.
class Membership {
 public:
  struct Hooks {
    std::function<void(std::uint64_t epoch)> joined;
    std::function<void(const std::string& why)> lost;   ///< no registry answers
    std::function<void()> fenced;                       ///< another instance has the slot
    std::function<std::vector<CircuitNews>()> reports;  ///< of circuits; asked with each beat
  };
  Membership(Loop& loop, Peer& peer, Directory& directory, const MeshOptions& options, observe::Metrics& metrics,
             observe::Log& log, Hooks hooks);

  void start();
  /// The record changed: register it again soon.
  void update();
  /// Circuits or the health have changed: renews soon, so that other callers learn of it.
  void announce();
  void set_health(HealthState state, std::string text);
  /// Why the last attempt to reach a registry failed; empty code: none did.
  const Error& last_error() const noexcept { return last_error_; }
  bool joined() const noexcept { return joined_; }
  /// True when the directory was filled at least once, and this process is registered where it should be.
  bool ready() const noexcept { return directory_.filled() && (joined_ || !options_.join); }
  Task<void> leave(std::string reason);

 private:
  Task<void> run();
  Task<bool> connect();  // to one registry: register and take a snapshot
  Task<bool> join(std::string registry);
  Task<bool> keep_lease();  // false, and still joined_: the registry does not answer
  Task<void> take_slot_back(std::string registry);
  Task<bool> refresh();  // takes a snapshot
  Task<bool> keep();     // renew until it fails; true when another registry should be tried at once
  Task<bool> renew_once();
  Task<Result<RenewReply>> renew();
  Task<bool> connect_home();  // true when the own host's registry is back and this process has left the other one
  Task<void> resync();
  void subscribe();
  void follow(const Snapshot& snapshot);
  void on_changes(const Event& event);
  void failed(const std::string& what, const Error& error);
  bool home() const noexcept { return registry_ == 0; }
  CallOptions options(Duration timeout) const;
  Duration patience() const;

  Loop& loop_;
  Peer& peer_;
  Directory& directory_;
  const MeshOptions& options_;
  observe::Log& log_;
  Hooks hooks_;
  std::size_t registry_ = 0;  // which of options_.registries
  std::string leased_by_;     // the registry that gave the lease
  std::string changes_endpoint_;
  Subscription changes_;
  bool changed_ = false;  // since the record was last sent
  int joining_ = 0;       // registrations that wait for their answer
  bool joined_ = false, stopped_ = false, resyncing_ = false, complained_ = false, fenced_ = false;
  bool slot_taken_ = false;  // by another instance, though options_.owns_slot
  Error last_error_;
  std::uint64_t epoch_ = 0;
  Duration lease_ = 3s;
  Ulid term_;                        // of the registry's records we hold
  std::optional<TimePoint> settle_;  // until then, records that a restarted registry lacks are kept
  TimePoint home_lost_{};
  bool home_away_ = false;
  HealthState health_ = HealthState::passing;
  std::string health_text_;
  Timer update_, announcement_;
  TimePoint announced_at_{};
  observe::Counter& resyncs_;
  observe::Counter& registrations_;
  observe::Gauge& registered_;
  TaskScope tasks_;
};

}  // namespace weft::mesh
