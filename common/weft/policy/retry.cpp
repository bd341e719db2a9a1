#include "weft/policy/retry.hpp"

#include <algorithm>
#include <cmath>

namespace weft::policy {

bool worth_retrying(const Error& error, const Policy::Retry& rules, bool idempotent) noexcept {
  if (rules.max_attempts <= 1) return false;
  if (error.is(codes::draining) || error.is(codes::queue_full)) return true;
  if (retryable(error.kind)) return rules.on != RetryOn::refused;
  return facts(error.kind).may_be_done && (idempotent || rules.on == RetryOn::failed);
}

Duration backoff(const Policy::Retry& rules, int number, double chance) noexcept {
  const double doubled = static_cast<double>(rules.base.count()) * std::exp2(std::clamp(number - 1, 0, 60));
  const double pause = std::min(doubled, static_cast<double>(rules.max.count()));
  return Duration(static_cast<std::int64_t>(pause * (1 - rules.jitter * chance)));
}

}  // namespace weft::policy
