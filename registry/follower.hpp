// Follower: keeps this registry's copy of one peer: asks it how far it is (a beat), takes snapshots when the copy does
// not follow, notices its silence, and finds it again quickly after a cut. Loop-bound.
#pragma once
#include <functional>
#include <string>

#include "registry/book.hpp"
#include "weft/observe/observe.hpp"
#include "weft/peer/peer.hpp"

namespace weft::registry {

/// Borrows what its constructor takes.
class Follower {
 public:
  struct Hooks {
    /// The book took something in.
    std::function<void()> changed;
    /// True when no other follower keeps the copy of `registry`.
    std::function<bool(const Follower&, const std::string& registry)> may_follow;
  };
  Follower(Loop& loop, peer::Peer& peer, Book& book, std::string endpoint, observe::Metrics& metrics, observe::Log& log,
           Hooks hooks);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void start() { tasks_.spawn(run()); }
  /// Something of this peer was missed: ask it now.
  void wake();
  const std::string& endpoint() const noexcept { return endpoint_; }
  /// Host name of the peer's registry; empty until it answered.
  const std::string& registry() const noexcept { return registry_; }
  bool up() const noexcept { return up_; }

 private:
  enum class Outcome : std::uint8_t { follows, behind, silent, refused, itself };
  Task<void> run();
  Task<Outcome> beat();
  Task<Outcome> sync();
  Task<void> pause(Duration delay);
  Outcome take(const wire::Snapshot& snapshot);
  void listen_to(const wire::Snapshot& snapshot);
  Outcome refuse(const Error& error);
  void lost(const std::string& why);
  Duration delay_after(Outcome outcome);
  calls::CallOptions patience(Duration timeout) const;

  peer::Peer& peer_;
  Book& book_;
  std::string endpoint_, registry_, publisher_;
  observe::Log& log_;
  Hooks hooks_;
  observe::Gauge& up_gauge_;
  observe::Counter& resyncs_;
  bool up_ = false, synced_once_ = false, woken_ = false;
  std::string complaint_;       // told already
  std::uint64_t promised_ = 0;  // sequence of the last beat: its deltas must have come before the next one
  Ulid promised_term_;
  unsigned attempts_ = 0;     // without an answer
  unsigned quick_beats_ = 0;  // left after a snapshot: deltas may have gone by before the subscription stood
  Completion<bool>::Completer waker_;
  Timer timer_;
  TaskScope tasks_;
};

}  // namespace weft::registry
