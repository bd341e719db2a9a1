// What steering tells other callers of its circuits, and minds of what they tell. docs/decisions/0015 says why so.
#include "weft/mesh/steering.hpp"

#include <utility>

#include "weft/mesh/builtin_methods.hpp"

namespace weft::mesh {
namespace {

Duration part_of(Duration whole, double part) noexcept {
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * part));
}

}  // namespace

void Steering::publish_transition(TargetState& target, const TargetStats& stats,
                                  std::optional<Breaker::Transition> transition) {
  record_transition(target, stats, transition);
  const auto& rules = target.policy->policy.breaker;
  if (!transition || !rules.shared) return;
  own_reports_.put(target.name, stats.instance_state->id, transition->to, loop_.turn_time() + rules.open_for);
  if (notify_reports_) notify_reports_();
}

std::vector<CircuitNews> Steering::reports() {
  const TimePoint now = loop_.turn_time();
  peer_reports_.expire(now, [&](const std::string& name, const Ulid& instance) {
    const auto found = targets_.find(name);
    if (found == targets_.end()) return;
    TargetState& target = *found->second;
    for (auto& stats : target.stats_list) {
      if (stats.instance_state->id == instance)
        record_transition(target, stats, stats.breaker.lapse(target.policy->policy.breaker, now));
    }
  });
  return own_reports_.list(now);
}

void Steering::receive_reports(const InstanceRecord& caller) {
  const auto fresh = peer_reports_.fresh(caller);
  if (fresh.empty()) return;
  const auto by =
      std::make_shared<const ReportingCaller>(ReportingCaller{caller.instance, caller.agent + "@" + caller.host});
  for (const auto& report : fresh) receive_report(by, report);
}

void Steering::receive_report(const std::shared_ptr<const ReportingCaller>& by, const CircuitNews& report) {
  const auto state = state_named(report.state);
  if (!state || !agent_of(report.target)) return;
  const auto& rules = policies_->policy_for(report.target).policy.breaker;
  if (!rules.shared || !rules.ever_opens()) return;
  const TimePoint now = loop_.turn_time();
  const Duration hold = part_of(rules.open_for, hold_part(random_.unit()));
  if (const auto found = targets_.find(report.target); found != targets_.end()) {
    TargetState& target = *found->second;
    refresh(target);
    for (auto& stats : target.stats_list) {
      if (stats.instance_state->id == report.instance) apply_report(target, stats, by, *state, hold);
    }
  }
  if (*state == BreakerState::closed)
    peer_reports_.closed(report.target, report.instance);
  else
    peer_reports_.open(report.target, report.instance, {by, now + hold, now + hold + rules.open_for});
}

void Steering::apply_report(TargetState& target, TargetStats& stats, const std::shared_ptr<const ReportingCaller>& by,
                            BreakerState state, Duration hold) {
  const auto& rules = target.policy->policy.breaker;
  const TimePoint now = loop_.turn_time();
  Breaker::Heard heard;
  if (state == BreakerState::open) {
    auto before = std::exchange(stats.reported_by, by);
    heard = stats.breaker.peer_opened(rules, now, hold);
    if (!heard.followed) stats.reported_by = std::move(before);
  } else if (state == BreakerState::half_open) {
    heard = stats.breaker.peer_probes(rules, now, hold);
  } else {
    const bool agrees = stats.reported_by && stats.reported_by->instance == by->instance;
    heard = stats.breaker.peer_closed(rules, now, agrees);
  }
  record_transition(target, stats, heard.transition);
  metrics_
      .counter("weft_circuit_breaker_heard_total",
               "What other callers told of circuits that this process has too, by what they told and what became of it",
               {{"target", target.name},
                {"told", std::string(to_string(state))},
                {"outcome", heard.followed ? "followed" : "ignored"}})
      .add();
}

/// Circuits that are new begin as others told.
void Steering::start_from_reports(TargetState& target) {
  const TimePoint now = loop_.turn_time();
  for (auto& stats : target.stats_list) {
    if (stats.reported_by || stats.measured != TimePoint{} || !stats.breaker.admits_all()) continue;
    const auto* opening = peer_reports_.find(target.name, stats.instance_state->id, now);
    if (opening) apply_report(target, stats, opening->by, BreakerState::open, opening->until - now);
  }
}

}  // namespace weft::mesh
