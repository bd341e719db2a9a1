#include "weft/policy/retry.hpp"

#include <algorithm>

#include "weft/base/backoff.hpp"

namespace weft::policy {

bool worth_retrying(const Error& error, const Policy::Retry& rules, bool idempotent) noexcept {
  if (rules.max_attempts <= 1) return false;
  if (error.is(codes::draining) || error.is(codes::queue_full)) return true;
  if (retryable(error.kind)) return rules.on != RetryOn::refused;
  return facts(error.kind).may_be_done && (idempotent || rules.on == RetryOn::failed);
}

Duration backoff(const Policy::Retry& rules, int number, double chance) noexcept {
  const auto before = static_cast<std::uint64_t>(std::max(number - 1, 0));
  return Backoff::jittered(doubled(rules.base, before, rules.max), rules.jitter, chance);
}

}  // namespace weft::policy
