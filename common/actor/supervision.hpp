// Supervision: what a supervisor decides, without doing it. Pure: the supervisor's actor tells it what happened and
// carries out what it answers.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "weft/actor/restart.hpp"

namespace weft::actor {

/// Who is restarted with a child that failed (the terms are Erlang/OTP's).
enum class Strategy : std::uint8_t {
  one_for_one,   ///< only it
  one_for_all,   ///< all children
  rest_for_one,  ///< it and those started after it
};
std::string_view to_string(Strategy strategy) noexcept;

struct SupervisorOptions {
  Strategy strategy = Strategy::one_for_one;
  Intensity
      child_limit{};  ///< of one child; beyond it the child is given up, or the supervisor fails (see significant)
  Intensity total_limit{100, 60s};  ///< of all children; beyond it the supervisor fails
  Backoff backoff{};
  std::uint64_t seed = 0;  ///< of the jitter
};

struct ChildPolicy {
  Restart restart = Restart::permanent;
  bool significant = false;  ///< to give it up is to fail
};

/// One supervisor's decisions. A child is known by the number that add() gave. One event costs O(log n) with
/// one_for_one.
///
/// Strategies other than one_for_one stop the others (reverse start order, one after the other: the next stop when the
/// one before has ended), wait the delay, then start all again in start order, one after the other (the next start when
/// the one before has started). A child that is given up under those fails the supervisor. A first start that fails
/// half way under one_for_all or rest_for_one counts as that child's error.
class Supervision {
 public:
  using Child = std::uint64_t;
  struct Action {
    enum class Kind : std::uint8_t {
      start,     ///< start `child` (its factory) after `delay`; answer with started() or ended()
      stop,      ///< stop `child`; answer with ended()
      gave_up,   ///< `child` stays down; tell it to whom it concerns
      fail,      ///< the supervisor fails: all children have ended
      finished,  ///< stop_all() is done: all children have ended
    };
    Kind kind;
    Child child = 0;
    Duration delay{};  ///< of start
    friend bool operator==(const Action&, const Action&) = default;
  };
  using Actions = std::vector<Action>;

  explicit Supervision(SupervisorOptions options);
  ~Supervision();

  /// Adds a child at the end of the start order; it is started at once, or when those before it have started.
  Actions add(Child child, ChildPolicy policy);
  /// Stops and forgets it; no action when there is no such child.
  Actions remove(Child child);
  Actions started(Child child, TimePoint now);
  /// `child` has ended: after started(), instead of it, or after a stop.
  Actions ended(Child child, Reason reason, TimePoint now);
  /// Restarts a child on purpose (its health failed, say): as an error of it, counted.
  Actions restart(Child child, TimePoint now);
  /// Stops all in reverse start order, then `finished`. Nothing is started any more.
  Actions stop_all();

  std::size_t size() const noexcept;
  /// Restarts of a child since it was added; 0 for an unknown one.
  std::uint32_t restarts(Child child) const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::actor
