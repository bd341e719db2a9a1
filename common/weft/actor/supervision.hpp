// Supervision: what a supervisor decides, without doing it. Pure: the supervisor's actor reports what happened and
// carries out what it answers.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "weft/actor/restart.hpp"

namespace weft::actor {

/// Who is restarted with a child that failed (the terms are Erlang/OTP's).
enum class Strategy : std::uint8_t {
  one_for_one,   ///< only it
  one_for_all,   ///< all children
  rest_for_one,  ///< it and those started after it
};
inline constexpr std::size_t kStrategyCount = static_cast<std::size_t>(Strategy::rest_for_one) + 1;
std::string_view to_string(Strategy strategy) noexcept;

struct SupervisorOptions {
  Strategy strategy = Strategy::one_for_one;
  Intensity child_limit{};          ///< of one child; beyond it the child is given up
  Intensity total_limit{100, 60s};  ///< of all children; beyond it the supervisor fails
  Backoff backoff{};
  std::uint64_t seed = 0;  ///< of the jitter
};

struct ChildPolicy {
  Restart restart = Restart::permanent;
  bool significant = false;  ///< to give it up is to fail
};

/// One supervisor's decisions. A child is known by the number that add() gave it. With one_for_one an event costs O(1)
/// on average, and children start independently of each other.
///
/// The other strategies start one child after the other (the next start when the one before has started, or ended for
/// good). When one fails they stop the others in reverse start order, one after the other, wait the delay (the longest,
/// if several fail), then start all of them again in start order. What ends meanwhile in that group is not counted, and
/// of these temporary children are forgotten and transient ones that ended normally stay down. To give a child up is to
/// fail, a start that fails is an error of the child.
///
/// A child that ended and is not restarted stays known, unless it is temporary, until remove(). A child that escalates
/// fails the supervisor, which first stops all. The delay goes by the child's restarts that are now in its window.
///
/// Actions are carried out in their order; a stop overtakes no start of the same child.
class Supervision {
 public:
  using Child = std::uint64_t;
  struct Action {
    enum class Kind : std::uint8_t {
      start,     ///< start `child` (its factory) after `delay`; answer with started() or ended()
      stop,      ///< stop `child`, or call off its start if that still waits; answer with ended()
      gave_up,   ///< `child` stays down; notify the actors concerned
      removed,   ///< `child` is down and forgotten: removed, or temporary and not restarted
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

  /// Adds a child at the end of the start order; it is started at once, or when those before it have started. From
  /// stop_all() or a failure on it is only `removed`. Throws std::logic_error when `child` is known: a bug.
  Actions add(Child child, ChildPolicy policy);
  /// Stops it, in its turn if all or its group are being stopped, and forgets it: `removed`, at once if it is down. No
  /// action when there is no such child.
  Actions remove(Child child);
  Actions started(Child child);
  /// `child` has ended: after started(), instead of it, or after a stop. Of what is down already it changes nothing.
  Actions ended(Child child, Reason reason, TimePoint now);
  /// Stops a running child on purpose (its health failed, say); its end then counts as an error of it. Nothing for a
  /// child that does not run.
  Actions restart(Child child);
  /// Stops all in reverse start order, one after the other, then `finished`, also in the place of `fail`. Nothing is
  /// started any more.
  Actions stop_all();

  std::size_t size() const noexcept;
  /// Starts of a child after its first, whatever the cause; 0 for an unknown one.
  std::uint32_t restarts(Child child) const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft::actor
