// Dedup: what a callee remembers of the calls of one method that carry an idempotency key: the first runs, those that
// come while it runs wait for its result, later ones get it from here. Pure: time is a parameter. Loop-bound.
#pragma once
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/policy/policy.hpp"
#include "weft/wire/payload.hpp"

namespace weft::calls {

using policy::Policy;
using wire::Payload;

class DedupWindow {
 public:
  using Outcome = Result<Payload>;
  using Waiter = Completion<Outcome>::Completer;
  enum class Found : std::uint8_t {
    fresh,     ///< run it, and finish() it whatever happens
    running,   ///< wait() for it
    done,      ///< `outcome` is the answer
    mismatch,  ///< the key was used with another payload: a mistake of the caller
    full,      ///< max_keys are running
  };
  struct Look {
    Found found;
    const Outcome* outcome = nullptr;  ///< of done; until the next look() or finish()
  };

  explicit DedupWindow(Policy::Idempotency rules) : rules_(rules) {}

  /// `key` is not empty.
  Look look(std::string_view key, const Payload& payload, TimePoint now);
  /// `waiter` gets what the running call of `key` ends with.
  void wait(std::string_view key, Waiter waiter);
  /// What was certainly not carried out (class overloaded or unavailable) is forgotten, so that a resend runs it; all
  /// else is kept for rules.window, within rules.max_keys and rules.max_bytes; the newest always. Waiters are resumed.
  void finish(std::string_view key, const Outcome& outcome, TimePoint now);

  std::size_t size() const noexcept { return by_key_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }
  /// Results dropped before their time, because of max_keys or max_bytes.
  std::uint64_t forgotten_early() const noexcept { return forgotten_early_; }

 private:
  struct Entry {
    std::string key;
    std::uint64_t payload = 0;  // hash
    Outcome outcome = Error();
    TimePoint forget_at{};
    std::size_t bytes = 0;
    std::vector<Waiter> waiters;
  };
  using Entries = std::list<Entry>;

  void expire(TimePoint now);
  void forget(Entries& from, Entries::iterator entry);
  void make_room();

  Policy::Idempotency rules_;
  Entries running_;
  Entries done_;  // the oldest first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
  std::uint64_t forgotten_early_ = 0;
};

}  // namespace weft::calls
