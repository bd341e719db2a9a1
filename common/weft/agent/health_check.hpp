// CheckState: what a health check that runs again and again says of its subject, after thresholds. Pure. Loop-bound.
#pragma once
#include <string>
#include <utility>

#include "weft/base/base.hpp"
#include "weft/observe/observe.hpp"

namespace weft {

using observe::Health;

/// What one run of a check found. A run that throws, or has no result in time, counts as critical.
struct CheckResult {
  Health::Status status = Health::pass;
  std::string text{};

  CheckResult() = default;
  CheckResult(Health::Status found, std::string why = {}) : status(found), text(std::move(why)) {}
  CheckResult(const Result<void>& outcome)  // NOLINT: what a check most often has is the outcome of something
      : status(outcome ? Health::pass : Health::critical), text(outcome ? std::string() : outcome.error().message) {}
};

struct CheckRules {
  Duration interval = std::chrono::seconds(10);  ///< from the end of a run to the next one; above 0
  Duration timeout = std::chrono::seconds(5);    ///< of a run; above 0
  std::uint32_t failures_before_critical = 3;    ///< in a row; 1 or more
  std::uint32_t successes_before_passing = 1;    ///< in a row, to leave critical; 1 or more
};

class CheckState {
 public:
  explicit CheckState(const CheckRules& rules) : rules_(rules) {}

  /// What the check says from now on. The first result counts at once. Later, a critical one counts when there were
  /// `failures_before_critical` in a row, and one that is not critical ends a critical state when there were
  /// `successes_before_passing` in a row. Until then the former status remains, and the text says what is counted.
  CheckResult add(CheckResult result) {
    const bool failed = result.status == Health::critical;
    failures_ = failed ? failures_ + 1 : 0;
    successes_ = failed ? 0 : successes_ + 1;
    if (!std::exchange(known_, true)) {
      shown_ = result.status;
    } else if (failed && shown_ != Health::critical && failures_ < rules_.failures_before_critical) {
      result.text = count(failures_, rules_.failures_before_critical, "failures: ") + result.text;
    } else if (!failed && shown_ == Health::critical && successes_ < rules_.successes_before_passing) {
      result.text = count(successes_, rules_.successes_before_passing, "successes ") + result.text;
    } else {
      shown_ = result.status;
    }
    result.status = shown_;
    return result;
  }

 private:
  static std::string count(std::uint32_t seen, std::uint32_t wanted, std::string_view of) {
    return std::to_string(seen) + " of " + std::to_string(wanted) + " " + std::string(of);
  }

  CheckRules rules_;
  Health::Status shown_ = Health::pass;
  bool known_ = false;
  std::uint32_t failures_ = 0, successes_ = 0;
};

}  // namespace weft
