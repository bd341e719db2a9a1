// CallExplanation: what a call would meet now, without making it: the reply of `_why` and of Mesh::explain_call().
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::wire {

/// One setting of the policy that the call would have.
struct ExplainedSetting {
  std::string key;      ///< "retry.max_attempts"
  Value value;          ///< as the configuration has it
  std::string pattern;  ///< of the rule that won: "digest.*"; "*" for the built-in defaults
  std::string where;    ///< "config/base.yaml:7:9", "built-in default"
  WEFT_FIELDS(ExplainedSetting, key, value, pattern, where)
};

/// One live instance, and why it would or would not be chosen.
struct ExplainedInstance {
  std::string instance, host;
  bool local = false;   ///< on the host of the caller
  bool chosen = false;  ///< at most one is
  std::string breaker;  ///< closed, open, half_open
  std::uint64_t in_flight = 0;
  double round_trip_ms = 0;  ///< mean of late; 0: not measured yet
  double errors = 0;         ///< part of the latest calls that failed, 0 to 1
  double cost_ms = 0;        ///< what the balancer expects it to cost; 0: not considered
  std::string reason;        ///< "not on host beta", "costs less: 0.3 ms"
  WEFT_FIELDS(ExplainedInstance, instance, host, local, chosen, breaker, in_flight, round_trip_ms, errors, cost_ms,
              reason)
};

struct CallExplanation {
  std::string target;  ///< "agent.method"
  std::vector<ExplainedSetting> policy;
  std::vector<ExplainedInstance> instances;
  std::optional<std::string> refused;  ///< the error that the call would end with at once
  WEFT_FIELDS(CallExplanation, target, policy, instances, refused)
};

}  // namespace weft::wire
