// Policy: how calls of a target are balanced, retried, broken off and deduplicated, as the section `mesh.policies`
// says, and where each value was said. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/base/hash.hpp"
#include "weft/config/config.hpp"

namespace weft::policy {

enum class Balance : std::uint8_t { nearest, round_robin, random_two, hash };
inline constexpr std::size_t kBalanceCount = static_cast<std::size_t>(Balance::hash) + 1;
std::string_view to_string(Balance balance) noexcept;
Result<Balance> from_text(std::string_view name, std::type_identity<Balance>);

/// Which failures are worth another attempt. Each holds those before it.
enum class RetryOn : std::uint8_t {
  refused,    ///< DRAINING and QUEUE_FULL: answered before the handler
  retryable,  ///< all of class overloaded and unavailable: certainly not carried out
  failed,     ///< timeout and disconnected too: the work may have been done, so the methods must be idempotent
};
inline constexpr std::size_t kRetryOnCount = static_cast<std::size_t>(RetryOn::failed) + 1;
std::string_view to_string(RetryOn on) noexcept;
Result<RetryOn> from_text(std::string_view name, std::type_identity<RetryOn>);

/// Everything here is a value; docs/configuration.md lists ranges, config/schema/weft.yaml the same defaults.
struct Policy {
  struct Retry {
    int max_attempts = 3;  ///< the first one included
    RetryOn on = RetryOn::refused;
    Duration base = 50ms, max = 1s;
    double jitter = 1;                    ///< random part of a pause, 0 to 1
    double budget = 0.1;                  ///< retries per first attempt
    Duration attempt_timeout{};           ///< zero: all that is left
    std::size_t payload_max = 16 * 1024;  ///< bytes; larger requests are not kept for another attempt
    WEFT_FIELDS(Retry, max_attempts, on, base, max, jitter, budget, attempt_timeout, payload_max)
    friend bool operator==(const Retry&, const Retry&) = default;
  };
  struct Breaker {
    std::uint32_t failures = 5;  ///< in a row; 0: never
    double ratio = 0;            ///< of the calls in `window`; 0: never
    Duration slow{};             ///< zero: no call is slow
    double slow_ratio = 0;       ///< 0: never
    Duration window = 10s;
    std::uint32_t calls_min = 10;
    Duration open_for = 5s;
    std::uint32_t probes = 1;
    bool shared = true;  ///< tells other callers, and minds what they tell
    bool ever_opens() const noexcept { return failures > 0 || ratio > 0 || slow_ratio > 0; }
    WEFT_FIELDS(Breaker, failures, ratio, slow, slow_ratio, window, calls_min, open_for, probes, shared)
    friend bool operator==(const Breaker&, const Breaker&) = default;
  };
  struct Hedge {
    Duration after{};  ///< zero: never
    WEFT_FIELDS(Hedge, after)
    friend bool operator==(const Hedge&, const Hedge&) = default;
  };
  struct Idempotency {
    Duration window = 2min;
    std::size_t max_keys = 10'000;
    std::size_t max_bytes = 16 * 1024 * 1024;
    WEFT_FIELDS(Idempotency, window, max_keys, max_bytes)
    friend bool operator==(const Idempotency&, const Idempotency&) = default;
  };

  Duration timeout = 5s;
  Balance balance = Balance::nearest;
  Retry retry;
  Breaker breaker;
  Hedge hedge;
  Idempotency idempotency;
  WEFT_FIELDS(Policy, timeout, balance, retry, breaker, hedge, idempotency)
  friend bool operator==(const Policy&, const Policy&) = default;
};

/// Which targets a rule is for: "agent" or "agent.method", each with `*` for any number of letters. "digest" is
/// "digest.*".
class TargetPattern {
 public:
  /// Errors: `bad_config`.
  static Result<TargetPattern> parse(std::string_view text);
  bool matches(std::string_view agent, std::string_view method) const noexcept;
  const std::string& text() const noexcept { return text_; }
  /// The less specific first: an agent without `*` beats one with; then more letters of the agent; then the same of the
  /// method; then the order of the alphabet.
  friend bool operator<(const TargetPattern& a, const TargetPattern& b);

 private:
  std::string text_, agent_, method_;
};

/// One value of an effective policy: what it is, and who said so.
struct PolicySetting {
  std::string key;      ///< "retry.max_attempts"
  Value value;          ///< as the configuration has it
  std::string pattern;  ///< of the rule that won: "digest.*"; "*" for the built-in defaults
  std::string where;    ///< "config/base.yaml:7:9", "built-in default"
};

struct EffectivePolicy {
  Policy policy;
  std::vector<PolicySetting> settings;  ///< by key; those of other rooms' keys (queue) too
  /// Null when nobody said it.
  const PolicySetting* setting(std::string_view key) const noexcept;
};

/// The rules of a process. Each value is that of the most specific rule that has it. Loop-bound: policy_for()
/// remembers.
class Policies {
 public:
  static constexpr std::size_t kTargetsRemembered = 4096;  ///< more targets are looked up again, not refused

  Policies();  ///< the built-in defaults for every target
  /// Errors: `bad_config` with the place: a pattern that is none, a value out of type.
  static Result<Policies> from(const config::Config& config);
  /// Of "agent.method". Borrowed, as long as this lives. Does not allocate for a target it has seen.
  const EffectivePolicy& policy_for(std::string_view target) const;

 private:
  struct Rule {
    TargetPattern pattern;
    std::vector<PolicySetting> settings;
  };
  const EffectivePolicy& effective(const std::vector<std::size_t>& matching) const;

  std::vector<Rule> rules_;  // the most specific last
  // Policies are few: one for each set of rules that matched something.
  mutable std::map<std::vector<std::size_t>, std::unique_ptr<EffectivePolicy>> made_;
  mutable std::unordered_map<std::string, const EffectivePolicy*, TextHash, std::equal_to<>> seen_;
};

/// From the section mesh.policies. Throws std::logic_error for what the schema does not let pass.
std::shared_ptr<const Policies> policies_from(const config::Config& config);

}  // namespace weft::policy
