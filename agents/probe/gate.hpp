// Gate: an actor that bounds the checks under way, and Permit: the right to one of them.
#pragma once
#include <cstddef>
#include <deque>
#include <utility>

#include "weft/actor/actor.hpp"

namespace weft::probe {

/// Goes back to its gate when it is destroyed: with the frame that holds it, when its actor fails or stops, and on its
/// way to somebody who has gone. Moves. Used while its system lives.
class Permit {
 public:
  Permit(actor::System& system, const actor::Address& gate) noexcept : system_(&system), gate_(gate) {}
  Permit(Permit&& other) noexcept : system_(std::exchange(other.system_, nullptr)), gate_(other.gate_) {}
  Permit& operator=(Permit&&) = delete;
  ~Permit() { give_back(); }
  void give_back() noexcept;

 private:
  actor::System* system_;
  actor::Address gate_;
};

/// Its mailbox is unbounded, so that no Release is refused: whoever waits has one Acquire, and a permit one Release.
class Gate {
 public:
  struct Acquire {
    using Reply = Permit;
  };
  struct Release {};
  using Messages = actor::Handles<Acquire, Release>;

  explicit Gate(std::size_t permits) : permits_(permits) {}
  /// Answered when there is room; first come, first served.
  void on(Acquire, actor::Context& context);
  void on(Release, actor::Context& context);

 private:
  void let_in(actor::Context& context);

  std::size_t permits_, given_ = 0;
  std::deque<actor::Responder<Permit>> waiting_;
};

}  // namespace weft::probe
