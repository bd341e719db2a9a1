// Restart policies: when a child that ended is started again, how soon, and how often before it is given up. Pure.
#pragma once
#include <cstdint>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/base/restart.hpp"

namespace weft::actor {

using weft::Intensity;
/// A shutdown by supervisor, parent or system is a requested end; error, escalated and killed are failures.
using weft::Restart;
using weft::RestartWindow;

/// Why an actor ended, or why it never was.
enum class Reason : std::uint8_t {
  normal,     ///< it stopped itself
  shutdown,   ///< its supervisor, its parent or the system stopped it
  error,      ///< an exception left a handler or a hook
  escalated,  ///< its on_error() said that its supervisor must fail
  killed,     ///< it did not stop within its time
  not_found,  ///< there was no such actor: what a watcher of an unknown actor receives
};
inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::not_found) + 1;
std::string_view to_string(Reason reason) noexcept;

/// Of a child that ended by itself; one that was stopped (shutdown) or never was is not restarted.
bool restarts(Restart restart, Reason reason) noexcept;

/// The delay before restart n (0 is the first) of a window.
struct Backoff {
  enum class Kind : std::uint8_t { none, fixed, linear, exponential };
  Kind kind = Kind::exponential;
  Duration base = 100ms;  ///< fixed: each; linear: base * (n + 1); exponential: base * 2^n
  Duration max = 60s;
  double jitter = 0;  ///< at most this part (0 to 1) of the delay to both sides; 0.1 is 10 %

  static Backoff none() { return {Kind::none, {}, {}, 0}; }
  /// Never above `max`, jitter included; does not overflow for any n.
  Duration delay(std::uint32_t n, Random& random) const;
};

}  // namespace weft::actor
