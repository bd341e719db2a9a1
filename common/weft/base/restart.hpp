// Restart: which ends of a supervised child make its supervisor start it again, and how often before it is given up.
// Used for actors and for processes. Pure.
#pragma once
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <vector>

#include "weft/base/clock.hpp"
#include "weft/base/result.hpp"

namespace weft {

/// The terms are Erlang/OTP's.
enum class Restart : std::uint8_t {
  permanent,  ///< after every end but a requested one
  transient,  ///< after a failure only
  temporary,  ///< never
};
inline constexpr std::size_t kRestartCount = static_cast<std::size_t>(Restart::temporary) + 1;
std::string_view to_string(Restart restart) noexcept;
/// Errors: `bad_value`.
Result<Restart> from_text(std::string_view name, std::type_identity<Restart>);

/// At most `restarts` within a sliding `window`; 0 restarts: no limit.
struct Intensity {
  std::uint32_t restarts = 5;
  Duration window = 60s;
};

/// Counts restarts in a sliding window. Empty, it owns no memory.
class RestartWindow {
 public:
  explicit RestartWindow(Intensity limit) noexcept : limit_(limit) {}
  /// False, and nothing is counted, when one more at `now` would exceed the limit.
  bool take(TimePoint now);
  /// Restarts at or after `now` - window; without a limit it stops at 1000.
  std::uint32_t count(TimePoint now);
  void reset() noexcept;

 private:
  void forget_before(TimePoint earliest);

  Intensity limit_;
  std::vector<TimePoint> times_;  ///< from first_ on, oldest first
  std::size_t first_ = 0;
};

}  // namespace weft
