// Retry: which failures are worth another attempt, how long to wait before it, and the budget that keeps retries from
// becoming a storm. Pure: chance is a parameter. Loop-bound.
#pragma once
#include <optional>

#include "weft/policy/policy.hpp"

namespace weft::policy {

/// True when `error` may be tried again under `rules`. `idempotent`: the call carries an idempotency key, so that also
/// work that may have been done may be asked for again. Whether attempts, time and budget are left is not looked at.
bool worth_retrying(const Error& error, const Policy::Retry& rules, bool idempotent) noexcept;

/// The pause before retry `number` (1 is the first): base * 2^(number-1), at most max, of which the part `jitter` is
/// random; `chance` in [0, 1). "Full jitter": aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter.
Duration backoff(const Policy::Retry& rules, int number, double chance) noexcept;

/// Retries of one target: at most `ratio` for each first attempt. Each first attempt earns `ratio`, each retry costs 1,
/// at most kSavedMax are saved. kLent retries are lent at the start, so that a target that is called rarely can be
/// retried at all; they are paid back before anything is saved: after n first attempts at most max(kLent, n * ratio)
/// retries were made, and at most kSavedMax + m * ratio in any m attempts.
class RetryBudget {
 public:
  static constexpr double kLent = 3, kSavedMax = 10;

  /// A first attempt is made.
  void earn(double ratio) noexcept {
    const double paid_back = std::min(owed_, ratio);
    owed_ -= paid_back;
    saved_ = std::min(kSavedMax, saved_ + ratio - paid_back);
  }
  /// True: one retry may be made, and is paid for. Never with a ratio of 0.
  bool spend(double ratio) noexcept {
    if (ratio <= 0 || saved_ < 1 - kRounding) return false;
    saved_ -= 1;
    return true;
  }
  double saved() const noexcept { return saved_; }

 private:
  static constexpr double kRounding = 1e-6;  // ten times 0.1 is a little less than 1
  double saved_ = kLent, owed_ = kLent;
};

}  // namespace weft::policy
