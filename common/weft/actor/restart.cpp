#include "weft/actor/restart.hpp"

#include <algorithm>
#include <array>

#include "weft/base/backoff.hpp"

namespace weft::actor {
namespace {

Duration times(Duration base, std::int64_t factor, Duration max) noexcept {
  return base > max / factor ? max : std::min(base * factor, max);
}

Duration without_jitter(const Backoff& backoff, std::uint32_t n) noexcept {
  if (backoff.base <= 0ns || backoff.max <= 0ns) return 0ns;
  switch (backoff.kind) {
    case Backoff::Kind::none:
      return 0ns;
    case Backoff::Kind::fixed:
      return std::min(backoff.base, backoff.max);
    case Backoff::Kind::linear:
      return times(backoff.base, std::int64_t{n} + 1, backoff.max);
    case Backoff::Kind::exponential:
      return doubled(backoff.base, n, backoff.max);
  }
  return 0ns;
}

}  // namespace

std::string_view to_string(Reason reason) noexcept {
  constexpr auto names =
      std::to_array<std::string_view>({"normal", "shutdown", "error", "escalated", "killed", "not_found"});
  static_assert(names.size() == kReasonCount);
  return names[static_cast<std::size_t>(reason)];
}

bool restarts(Restart restart, Reason reason) noexcept {
  const bool failed = reason == Reason::error || reason == Reason::killed || reason == Reason::escalated;
  switch (restart) {
    case Restart::permanent:
      return failed || reason == Reason::normal;
    case Restart::transient:
      return failed;
    case Restart::temporary:
      return false;
  }
  return false;
}

Duration Backoff::delay(std::uint32_t n, Random& random) const {
  const Duration plain = without_jitter(*this, n);
  if (jitter <= 0 || plain == 0ns) return plain;
  const double share = std::min(jitter, 1.0) * (2 * random.unit() - 1);
  const double moved = static_cast<double>(plain.count()) * (1 + share);
  return moved >= static_cast<double>(max.count()) ? max : Duration(static_cast<std::int64_t>(moved));
}

}  // namespace weft::actor
