// What probe tells about targets: one check, and one target.
#pragma once
#include <string>

#include "agents/probe/health.hpp"

namespace weft::probe {

/// Published on probe.<host>.<target>, and the answer of `check`.
struct Finding {
  std::string host, target, address;
  State state = State::unknown;
  bool good = false;
  double latency_ms = 0;
  std::string error;  ///< empty when good
  std::int64_t time_us = 0;
  WEFT_FIELDS(Finding, host, target, address, state, good, latency_ms, error, time_us)
};
/// One entry of the answer of `targets`.
struct TargetStatus {
  std::string target, address;
  State state = State::unknown;
  double latency_ms = 0;
  std::int64_t since_us = 0;  ///< wall time of the last change of state; 0: none yet
  std::int64_t checked_us = 0;
  std::uint64_t checks = 0, failures = 0;
  std::string last_error;
  WEFT_FIELDS(TargetStatus, target, address, state, latency_ms, since_us, checked_us, checks, failures, last_error)
};

}  // namespace weft::probe
