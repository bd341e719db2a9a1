#include "weft/actor/options.hpp"

namespace weft::actor {
namespace {

Error bad(const char* field, const std::string& why) {
  return Error(codes::bad_value, std::string(field) + ": " + why);
}

Result<void> check_backoff(const Backoff& backoff) {
  if (backoff.base < Duration::zero()) return bad("backoff.base", "less than nothing");
  if (backoff.max < Duration::zero()) return bad("backoff.max", "less than nothing");
  if (!(backoff.jitter >= 0 && backoff.jitter <= 1))
    return bad("backoff.jitter", "wanted 0 to 1, got " + std::to_string(backoff.jitter));
  return {};
}

}  // namespace

Result<void> check(const MailboxOptions& options) {
  constexpr std::uint32_t kMax = 1U << 30;
  if (options.capacity > kMax) return bad("mailbox.capacity", "at most " + std::to_string(kMax) + "; 0 is unbounded");
  if (options.overflow == Overflow::redirect && !options.redirect_to)
    return bad("mailbox.redirect_to", "whom to redirect to is not said");
  return {};
}

Result<void> check(const SupervisorOptions& options) {
  if (options.child_limit.window <= Duration::zero()) return bad("child_limit.window", "must be longer than nothing");
  if (options.total_limit.window <= Duration::zero()) return bad("total_limit.window", "must be longer than nothing");
  return check_backoff(options.backoff);
}

Result<void> check(const ChildOptions& options) {
  if (options.shutdown.time < Duration::zero()) return bad("shutdown.time", "less than nothing");
  if (options.health.interval < Duration::zero()) return bad("health.interval", "less than nothing; 0 is no checks");
  if (options.health.interval > Duration::zero() && options.health.timeout <= Duration::zero()) {
    return bad("health.timeout", "must be longer than nothing");
  }
  if (options.health.threshold == 0) return bad("health.threshold", "at least 1");
  return check(options.mailbox);
}

Result<void> check(const SystemOptions& options) { return check(options.root); }

}  // namespace weft::actor
