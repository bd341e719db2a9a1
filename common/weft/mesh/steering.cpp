#include "weft/mesh/steering.hpp"

#include <algorithm>

namespace weft::mesh {
namespace {

constexpr std::size_t kTargetsMax = 1000;  // beyond it those that nobody waits for are forgotten

}  // namespace

TargetStats* TargetState::stats_of(const InstanceState& instance_state) noexcept {
  const auto found = std::find_if(stats_list.begin(), stats_list.end(), [&](const TargetStats& stats) {
    return stats.instance_state.get() == &instance_state;
  });
  return found == stats_list.end() ? nullptr : &*found;
}

void Route::hold(std::size_t index, Breaker::Pass as) noexcept {
  if (among != target->candidates) among = target->candidates;
  at = &(*among)[index];
  pass = as;
  ++at->instance_state->in_flight;
  ++target->stats_list[index].outstanding;
  if (attempted->count < attempted->ids.size()) attempted->ids[attempted->count++] = at->instance_state->id.short_id();
}

void Route::release() noexcept {
  if (!at) return;
  InstanceState& instance_state = *std::exchange(at, nullptr)->instance_state;
  --instance_state.in_flight;
  if (TargetStats* stats = target->stats_of(instance_state)) {
    --stats->outstanding;
    stats->breaker.dropped(pass);
  }
}

Steering::Steering(Loop& loop, Caller& caller, Router& router, std::shared_ptr<const Policies> policies,
                   observe::Metrics& metrics, observe::Log& log)
    : loop_(loop),
      caller_(caller),
      router_(router),
      policies_(policies ? std::move(policies) : std::make_shared<const Policies>()),
      metrics_(metrics),
      log_(log),
      liveness_(loop, caller, metrics, log, [this](const InstanceState& again) { answers_again(again); }) {}

/// Calls under way ask their target for each attempt, and all targets that a call holds are here: the old policies may
/// go.
void Steering::set_policies(std::shared_ptr<const Policies> policies) {
  policies_.swap(policies);
  for (auto& [name, target] : targets_) target->policy = &policies_->policy_for(name);
}

std::shared_ptr<TargetState> Steering::look_up(std::string_view name) {
  if (const auto found = targets_.find(name); found != targets_.end()) return found->second;
  if (targets_.size() >= kTargetsMax)
    std::erase_if(targets_, [](const auto& it) { return it.second.use_count() == 1; });
  auto target = std::make_shared<TargetState>();
  target->name = name;
  target->id = caller_.target_id(name);
  target->policy = &policies_->policy_for(name);
  const observe::Labels label{{"target", target->name}};
  target->retries = &metrics_.counter("weft_retries_total", "Attempts beyond the first, by target", label);
  target->retries_denied =
      &metrics_.counter("weft_retries_denied_total", "Retries that the budget of their target did not allow", label);
  target->hedges = &metrics_.counter("weft_hedges_total", "Second calls sent because the first was late", label);
  for (const auto state : {BreakerState::closed, BreakerState::open, BreakerState::half_open}) {
    auto& gauge = metrics_.gauge("weft_circuit_breaker_state", "1 for the worst state of a target's circuits",
                                 {{"target", target->name}, {"state", std::string(to_string(state))}});
    gauge.set(state == BreakerState::closed ? 1 : 0);
    target->state[static_cast<std::size_t>(state)] = &gauge;
  }
  targets_.emplace(target->name, target);
  return target;
}

/// Candidates may be others than last time; tracks of those that stayed are kept.
void Steering::refresh(TargetState& target) {
  if (target.version == router_.version()) return;
  target.version = router_.version();
  auto candidates = router_.candidates(target.agent());
  if (candidates == target.candidates) return;
  std::vector<TargetStats> stats_list(candidates->size());
  for (std::size_t i = 0; i < stats_list.size(); ++i) {
    const auto& instance_state = (*candidates)[i].instance_state;
    if (TargetStats* known = target.stats_of(*instance_state)) {
      stats_list[i] = std::move(*known);
    }
    stats_list[i].instance_state = instance_state;
  }
  target.stats_list = std::move(stats_list);
  target.candidates = std::move(candidates);
  if (!peer_reports_.empty()) start_from_reports(target);
}

Result<void> Steering::fill(Selector& ask, const Route& route, const CallOptions& options) {
  ask.balance = options.affinity.empty() ? route.policy().balance : Balance::hash;
  if (!options.host.empty()) ask.host = *options.host;
  if (!options.affinity.empty()) ask.key = *options.affinity;
  ask.avoid = route.avoid();
  if (options.instance.empty()) return {};
  auto id = Ulid::parse(*options.instance);
  if (!id) return id.error();
  ask.instance = *id;
  return {};
}

std::uint64_t Steering::chance(Balance balance) {
  return balance == Balance::random_two ? random_.next() : ++turns_ * kGoldenRatio;
}

Result<const Router::Candidate*> Steering::select(Route& route, const CallOptions& options) {
  route.release();
  TargetState& target = *route.target;
  refresh(target);
  Selector ask;
  if (auto fine = fill(ask, route, options); !fine) return fine.error();
  const TimePoint now = loop_.turn_time();
  const Choice choice = policy::choose(target.stats_list, route.policy(), ask, now, chance(ask.balance));
  route.why = choice.why;
  route.candidates = static_cast<std::uint32_t>(target.stats_list.size());
  if (choice.refused != Choice::Refused::no) return refused(target, options, choice.refused);
  TargetStats& stats = target.stats_list[choice.index];
  const auto [pass, transition] = stats.breaker.started(route.policy().breaker, now);
  route.hold(choice.index, pass);
  if (route.at->instance_state->in_flight == 1) liveness_.call_sent(*route.at);
  if (transition) publish_transition(target, stats, transition);
  return route.at;
}

/// What calls met while it was silent says nothing about it now: it counts as not measured, and its circuits that these
/// calls opened are probed at once.
void Steering::answers_again(const InstanceState& instance_state) {
  for (auto& [name, target] : targets_) {
    TargetStats* stats = target->stats_of(instance_state);
    if (!stats) continue;
    stats->forget();
    stats->breaker.probe_now(loop_.turn_time());
  }
}

Error Steering::refused(const TargetState& target, const CallOptions& options, Choice::Refused why) const {
  if (why == Choice::Refused::nobody) return router_.nobody(target.agent(), options);
  Duration soonest = Duration::max();
  std::string told;
  for (const auto& stats : target.stats_list) {
    const auto breaker = stats.breaker.snapshot(target.policy->policy.breaker, loop_.turn_time());
    if (breaker.force == BreakerForce::open || breaker.open_left >= soonest) continue;
    soonest = breaker.open_left;
    told = reported_by(stats);
  }
  const std::string when =
      soonest == Duration::max() ? "it was opened by hand"
      : soonest == Duration::zero()
          ? "a probe is on its way"
          : "the next probe goes in " + to_text(std::chrono::ceil<std::chrono::milliseconds>(soonest));
  return Error(codes::circuit_open,
               "the circuit of " + target.name + " is open at every instance (" +
                   std::to_string(target.stats_list.size()) + ")" + told + ": " + when,
               "weft breaker list AGENT shows the circuits of the agent that calls");
}

// ---- the end of an attempt

void Steering::ended(Route& route, Outgoing& outgoing, const Result<Payload>& outcome) {
  measure(route, outgoing, outcome);
  consider_retry(route, outgoing, outcome);
}

void Steering::measure(Route& route, const Outgoing& call, const Result<Payload>& outcome) {
  if (!route.at) return;
  InstanceState& instance_state = *route.at->instance_state;  // `among` keeps it
  const bool sent = call.header.id != 0;
  const bool cancelled = !outcome && outcome.error().kind == ErrorKind::cancelled;
  const bool draining = !outcome && outcome.error().is(codes::draining);
  if (draining) instance_state.draining = true;
  TargetStats* stats = route.target->stats_of(instance_state);
  if (!stats || !sent || cancelled || draining) return route.release();
  const auto pass = std::exchange(route.pass, Breaker::Pass::normal);  // given to finished()
  route.release();
  const Duration took = call.end - call.begin;
  stats->measure(call.end, !outcome && policy::counts_as_error(outcome.error().kind), took);
  const bool failed = !outcome && policy::breaks(outcome.error().kind);
  const Duration counted = call.options.once ? Duration::zero() : took;
  const auto transition = stats->breaker.finished(route.policy().breaker, call.end, pass, failed, counted);
  if (transition) publish_transition(*route.target, *stats, transition);
}

/// True where one is left that this call was not sent to.
bool Steering::another(const Route& route, const CallOptions& options) const noexcept {
  const auto avoid = route.avoid();
  if (!options.instance.empty() || avoid.size() == route.attempted->ids.size()) return false;
  return std::any_of(route.target->stats_list.begin(), route.target->stats_list.end(), [&](const TargetStats& stats) {
    const bool there = options.host.empty() || stats.instance_state->host == *options.host;
    return there && !stats.instance_state->draining &&
           std::find(avoid.begin(), avoid.end(), stats.instance_state->id.short_id()) == avoid.end();
  });
}

void Steering::consider_retry(const Route& route, Outgoing& call, const Result<Payload>& outcome) {
  TargetState& target = *route.target;
  const auto& rules = route.policy().retry;
  if (call.attempt == 1) target.budget.earn(rules.budget);
  if (outcome || !call.keep_payload || !policy::worth_retrying(outcome.error(), rules, !call.options.key.empty()))
    return;
  // One that stops is left once by each call that was on its way there, and did nothing for it: no load to speak of.
  if (outcome.error().is(codes::draining)) {
    if (!another(route, call.options)) return;
    call.retry_after = Duration::zero();
  } else {
    if (call.attempt >= static_cast<unsigned>(rules.max_attempts)) return;
    if (!target.budget.spend(rules.budget)) return target.retries_denied->add();
    call.retry_after = policy::backoff(rules, static_cast<int>(call.attempt), random_.unit());
  }
  target.retries->add();
}

bool Steering::may_hedge(TargetState& target) {
  if (!target.budget.spend(target.policy->policy.retry.budget)) {
    target.retries_denied->add();
    return false;
  }
  target.hedges->add();
  return true;
}

void Steering::record_transition(TargetState& target, const TargetStats& changed,
                                 std::optional<Breaker::Transition> transition) {
  if (!transition) return;
  BreakerState worst = BreakerState::closed;
  for (const auto& stats : target.stats_list) {
    const auto state = stats.breaker.state();
    if (state == BreakerState::open || worst == BreakerState::closed) worst = state;
    if (worst == BreakerState::open) break;
  }
  for (std::size_t i = 0; i < target.state.size(); ++i) target.state[i]->set(static_cast<std::size_t>(worst) == i);
  metrics_
      .counter("weft_circuit_breaker_transitions_total", "Circuits that changed, by target and the state they came to",
               {{"target", target.name}, {"to", std::string(to_string(transition->to))}})
      .add();
  const bool told = changed.breaker.told();  // then the one whose calls failed warns
  const auto level = transition->to == BreakerState::open && !told ? observe::Level::warn : observe::Level::info;
  log_.write(level, "a circuit changed",
             {{"target", target.name},
              {"peer", changed.instance_state->id.to_string()},
              {"peer_host", changed.instance_state->host},
              {"from", std::string(to_string(transition->from))},
              {"to", std::string(to_string(transition->to))},
              {"told_by", told && changed.reported_by ? changed.reported_by->name : std::string()}});
}

}  // namespace weft::mesh
