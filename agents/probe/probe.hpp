// Probe: checks TCP and HTTP targets on a schedule, publishes what it finds, and reports changes.
#pragma once
#include <string>
#include <vector>

#include "agents/probe/health.hpp"
#include "agents/probe/schedule.hpp"
#include "agents/probe/target.hpp"
#include "weft/agent/agent.hpp"

namespace weft::probe {

struct Settings {
  std::vector<TargetSettings> targets;
  Duration period = 10s, timeout = 2s;
  std::int64_t rise = 2, fall = 2;
  Severity severity = Severity::error;
  std::string publish = "each";  ///< or "change"
  std::int64_t concurrent = 32;
  WEFT_FIELDS(Settings, targets, period, timeout, rise, fall, severity, publish, concurrent)
};

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

class Probe {
 public:
  Probe(Settings settings, Agent& agent);

 private:
  struct Watched {
    Target target;
    Standing standing;
    TargetStatus status;
    observe::Gauge& up;
  };
  void serve();
  void watch(Target target);
  void pump();
  Task<void> turn(std::size_t index);
  Task<Finding> check(std::size_t index);
  Task<Result<void>> ask(Target target);
  Finding note(Watched& watched, const Result<void>& outcome, Duration took);
  void tell_change(const Watched& watched, const Change& change);
  Task<Result<Finding>> check_now(std::string name);

  Settings settings_;
  Agent& agent_;
  Random random_ = Random::from_os();
  Schedule schedule_{random_};
  Timer timer_;
  std::vector<Watched> watched_;
  std::size_t running_ = 0;
  observe::Counter &good_, &bad_;
  observe::Histogram& latency_;
};

}  // namespace weft::probe
