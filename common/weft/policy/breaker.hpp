// Breaker: leaves one method of one instance alone for a while after failures in a row, or when too large a part of its
// calls fails or is slow; then lets probes through. Pure: time is a parameter. Loop-bound.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "weft/policy/policy.hpp"

namespace weft::policy {

enum class BreakerState : std::uint8_t { closed, open, half_open };
inline constexpr std::size_t kBreakerStateCount = static_cast<std::size_t>(BreakerState::half_open) + 1;
std::string_view to_string(BreakerState state) noexcept;
/// By hand: `open` refuses and `closed` admits whatever happens, until `none`.
enum class BreakerForce : std::uint8_t { none, open, closed };
inline constexpr std::size_t kBreakerForceCount = static_cast<std::size_t>(BreakerForce::closed) + 1;
std::string_view to_string(BreakerForce force) noexcept;

/// True for what says that an instance is broken: unavailable, timeout, disconnected, internal. One that is overloaded
/// says so itself and gets less by its error rate; the other classes are the caller's own doing.
bool breaks(ErrorKind kind) noexcept;
/// True for what makes an instance get less: what breaks() it, and overloaded.
bool counts_as_error(ErrorKind kind) noexcept;

class Breaker {
 public:
  using Rules = Policy::Breaker;
  /// What a call was admitted as; finished() wants it back.
  enum class Pass : std::uint8_t { normal, probe };
  struct Transition {
    BreakerState from, to;
  };
  struct Snapshot {
    BreakerState state = BreakerState::closed;
    BreakerForce force = BreakerForce::none;
    std::uint32_t failures_in_row = 0;
    std::uint32_t calls = 0, failures = 0, slow = 0;  ///< in the window; zero unless a ratio is asked for
    std::uint64_t opened = 0;                         ///< how often
    Duration open_left{};                             ///< until probes are let through
  };
  /// What became of another caller's word.
  struct Heard {
    bool followed = false;
    std::optional<Transition> transition{};
  };
  /// For as many open periods in a row others' word keeps it open; then it goes by calls of its own.
  static constexpr int kPatience = 10;
  /// For as many open periods others' word is not taken after it was wrong.
  static constexpr int kDoubt = 10;

  bool admits_all() const noexcept { return force_ == BreakerForce::none && state_ == BreakerState::closed; }
  /// True when a call may go now. Does not change anything: started() does.
  bool admits(const Rules& rules, TimePoint now) const noexcept { return admits_all() || admits_slowly(rules, now); }
  /// True when a probe is due: the next call had better go here.
  bool wants_probe(const Rules& rules, TimePoint now) const noexcept {
    return state_ != BreakerState::closed && force_ == BreakerForce::none && admits_slowly(rules, now);
  }
  /// A call goes; admits() was true. Open becomes half open with the first probe.
  std::pair<Pass, std::optional<Transition>> started(const Rules& rules, TimePoint now) noexcept;
  /// It ended after `took`.
  std::optional<Transition> finished(const Rules& rules, TimePoint now, Pass pass, bool failed, Duration took) noexcept;
  /// It ended without saying anything about the instance: cancelled, never sent.
  void dropped(Pass pass) noexcept {
    if (pass == Pass::probe && probing_ > 0) --probing_;
  }
  /// Another caller has opened its circuit to the same place: this one is open, too, for `hold`, within the bounds
  /// above. Nothing is followed by hand, or while an own probe is on its way.
  Heard peer_opened(const Rules& rules, TimePoint now, Duration hold) noexcept;
  /// Another caller probes: an own probe waits for `hold`.
  Heard peer_probes(const Rules& rules, TimePoint now, Duration hold) noexcept;
  /// Another caller found it well: what was open by others' word is closed, and probed at once where own calls had
  /// opened it. `agrees`: it is the one whose word had opened it, which therefore was right.
  Heard peer_closed(const Rules& rules, TimePoint now, bool agrees) noexcept;
  /// Closes what was opened by others' word that nobody has renewed since, and that no call came to try.
  std::optional<Transition> lapse(const Rules& rules, TimePoint now) noexcept;
  /// The instance was silent and answers again: where own calls had opened the circuit, a probe may go now.
  void probe_now(TimePoint now) noexcept {
    if (state_ == BreakerState::open && !told_) open_until_ = std::min(open_until_, now);
  }
  /// `none` closes it, and counts anew.
  std::optional<Transition> force(BreakerForce force) noexcept;

  BreakerState state() const noexcept;
  /// It is not closed, and own calls did not open it.
  bool told() const noexcept { return told_ && state() != BreakerState::closed && force_ == BreakerForce::none; }
  Snapshot snapshot(const Rules& rules, TimePoint now) const noexcept;

 private:
  static constexpr std::size_t kSlices = 10;  // the window moves by a tenth of itself
  struct Counts {
    std::uint32_t calls = 0, failures = 0, slow = 0;
  };
  struct Slice : Counts {
    std::int64_t number = -1;  // of the tenth of the window that it counts
  };

  bool admits_slowly(const Rules& rules, TimePoint now) const noexcept;
  Counts counted(const Rules& rules, TimePoint now) const noexcept;
  bool trips(const Rules& rules, TimePoint now) const noexcept;
  bool listens(TimePoint now) const noexcept;
  TimePoint patience(const Rules& rules, TimePoint now) noexcept;
  std::optional<Transition> change(BreakerState to, TimePoint open_until) noexcept;

  BreakerState state_ = BreakerState::closed;
  BreakerForce force_ = BreakerForce::none;
  bool told_ = false;  // it was closed when another caller's word opened it
  std::uint32_t failures_in_row_ = 0;
  std::uint32_t probing_ = 0;  // probes on their way
  std::uint32_t passed_ = 0;   // probes that succeeded since half open
  std::uint64_t opened_ = 0;
  TimePoint open_until_{};
  TimePoint told_since_{};   // of the words in a row; zero: an own call ended since
  TimePoint doubt_until_{};  // others' word is not taken
  std::array<Slice, kSlices> slices_{};
};

}  // namespace weft::policy
