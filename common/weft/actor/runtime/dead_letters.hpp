// Dead letters: messages that reached no actor, with the reason. Bounded. Thread-safe. Private to actor.
#pragma once
#include <deque>
#include <mutex>

#include "weft/actor/system.hpp"

namespace weft::actor {

class DeadLetters {
 public:
  explicit DeadLetters(std::size_t max) noexcept : max_(max) {}
  ~DeadLetters() { clear(); }
  /// Owns the envelope; the oldest goes when it is full.
  void add(Envelope* envelope, const Address& target, std::string target_name, Drop reason, TimePoint now) noexcept;
  void clear() noexcept;
  std::vector<DeadLetter> list() const;
  /// Passes the envelope to the caller, or null if there is no such letter. Sets `target` and `name` of its receiver.
  Envelope* take(std::uint64_t number, Address& target, std::string& name) noexcept;

 private:
  struct Entry {
    DeadLetter letter;
    Address target;
    Envelope* envelope;
  };
  const std::size_t max_;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
  std::uint64_t last_number_ = 0;
};

}  // namespace weft::actor
