// What steering shows of itself, and what a person may change by hand.
#include "weft/mesh/steering.hpp"

#include <algorithm>

namespace weft::mesh {
namespace {

double milliseconds(double seconds) noexcept { return seconds * 1000; }

wire::ExplainedInstance explained(const Explanation& verdict) {
  wire::ExplainedInstance out;
  out.instance = verdict.instance.to_string();
  out.host = verdict.host;
  out.local = verdict.local;
  out.chosen = verdict.chosen;
  out.breaker = to_string(verdict.breaker);
  out.in_flight = verdict.in_flight;
  out.round_trip_ms = milliseconds(verdict.round_trip);
  out.errors = verdict.errors;
  out.cost_ms = milliseconds(verdict.cost);
  out.reason = verdict.reason;
  return out;
}

Value to_value(const TargetState& target, const TargetStats& stats, TimePoint now) {
  const auto breaker = stats.breaker.snapshot(target.policy->policy.breaker, now);
  Value out;
  out.set("target", target.name);
  out.set("instance", stats.instance_state->id.to_string());
  out.set("host", stats.instance_state->host);
  out.set("state", std::string(to_string(breaker.state)));
  out.set("force", std::string(to_string(breaker.force)));
  out.set("told_by", stats.reported_by && stats.breaker.told() ? stats.reported_by->name : std::string());
  out.set("failures_in_row", breaker.failures_in_row);
  out.set("opened", breaker.opened);
  out.set("open_left_ms", milliseconds(to_seconds(breaker.open_left)));
  out.set("round_trip_ms", milliseconds(stats.round_trip));
  out.set("errors", stats.errors);
  out.set("in_flight", stats.instance_state->in_flight);
  return out;
}

/// Which settings open a circuit, and who said them.
std::string breaker_rules(const EffectivePolicy& policy) {
  std::string out;
  for (const auto* key : {"breaker.failures", "breaker.ratio", "breaker.slow_ratio"}) {
    const PolicySetting* setting = policy.setting(key);
    if (!setting || !setting->value.is_number() || setting->value.as_double() == 0) continue;
    out += out.empty() ? "; it opens by " : " or ";
    out += setting->key + " = " + to_json(setting->value) + " of '" + setting->pattern + "' (" + setting->where + ")";
  }
  return out;
}

bool fits(const TargetState& target, std::string_view asked) { return target.name == asked || target.agent() == asked; }

}  // namespace

std::vector<Gathered::Answer> Steering::wanted(std::string_view agent, const CallOptions& options,
                                               const GatherOptions& gathering) {
  std::vector<Gathered::Answer> out;
  const auto candidates = router_.candidates(agent);
  for (const auto& candidate : *candidates) {
    const auto& record = *candidate.record;
    const std::string id = record.instance.to_string();
    if (!options.host.empty() && record.host != options.host) continue;
    if (!options.instance.empty() && id != *options.instance) continue;
    const auto& named = gathering.instances;
    if (!named.empty() && std::find(named.begin(), named.end(), id) == named.end()) continue;
    out.push_back({id, record.slot, record.host});
  }
  for (const auto& id : gathering.instances) {  // who is named and not known is missing, too
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& answer) { return answer.instance == id; });
    if (!known) out.push_back({id, {}, {}});
  }
  return out;
}

/// {action: list | open | close | automatic, target, instance}; a list of circuits, or how many were changed.
struct BreakerRequest {
  std::string action = "list", target, instance;
  WEFT_FIELDS(BreakerRequest, action, target, instance)
};

void Steering::serve(Peer& peer) {
  const auto work = [this](const BreakerRequest& request) -> Result<Value> {
    if (request.action == "list") return breakers();
    const std::vector<std::string_view> actions{"open", "close", "automatic"};
    const auto at = std::find(actions.begin(), actions.end(), request.action);
    if (at == actions.end())
      return Error(codes::bad_value, "no action '" + request.action + "'" + did_you_mean(request.action, actions),
                   "wanted list, open, close or automatic");
    const BreakerForce forces[] = {BreakerForce::open, BreakerForce::closed, BreakerForce::none};
    auto count = force(request.target, request.instance, forces[at - actions.begin()]);
    if (!count) return count.error();
    log_.warn("circuits changed by hand",
              {{"target", request.target}, {"action", request.action}, {"circuits", *count}});
    Value changed;
    changed.set("changed", *count);
    return changed;
  };
  peer::serve<BreakerRequest>(peer, {"_breakers", "circuits of the calls this process makes, for weft breaker"}, work);
}

Value Steering::breakers() {
  std::map<std::string, std::vector<Value>> by_name;
  for (auto& [name, target] : targets_) {
    refresh(*target);
    for (const auto& stats : target->stats_list) by_name[name].push_back(to_value(*target, stats, loop_.turn_time()));
  }
  Value::List out;
  for (auto& [name, values] : by_name) std::move(values.begin(), values.end(), std::back_inserter(out));
  return out;
}

bool Steering::is_served(std::string_view name) const {
  const auto parts = split_target(name);
  const auto serves = [&](const Router::Candidate& candidate) {
    const auto& methods = candidate.record->methods;
    return std::any_of(methods.begin(), methods.end(),
                       [&](const MethodInfo& info) { return info.name == parts.method; });
  };
  const auto candidates = router_.candidates(parts.agent);
  return std::any_of(candidates->begin(), candidates->end(), serves);
}

Result<std::size_t> Steering::force(std::string_view asked, std::string_view instance, BreakerForce force) {
  if (is_served(asked)) (void)target(asked);  // also before its first call
  std::size_t count = 0;
  std::vector<std::string_view> names;
  for (auto& [name, target] : targets_) {
    names.push_back(name);
    if (!fits(*target, asked)) continue;
    refresh(*target);
    for (auto& stats : target->stats_list) {
      if (!instance.empty() && stats.instance_state->id.to_string() != instance) continue;
      const auto transition = stats.breaker.force(force);
      const bool held = own_reports_.holds_open(target->name, stats.instance_state->id);
      if (held && force == BreakerForce::none)
        publish_transition(*target, stats, transition);
      else
        record_transition(*target, stats, transition);
      ++count;
    }
  }
  if (count > 0) return count;
  const std::string at =
      instance.empty() ? did_you_mean(asked, names) : " at instance " + std::string(instance.substr(0, kNameMax));
  return Error(codes::unknown_instance,
               "there is no circuit of '" + std::string(asked.substr(0, 2 * kNameMax)) + "'" + at,
               "circuits are those of agent.method as this process calls it; weft breaker list shows them");
}

wire::CallExplanation Steering::explain(std::string_view name, const CallOptions& options) {
  const auto target = this->target(name);
  refresh(*target);
  const Route route(target);
  wire::CallExplanation out;
  out.target = target->name;
  for (const auto& setting : target->policy->settings)
    out.policy.push_back({setting.key, setting.value, setting.pattern, setting.where});
  Selector ask;
  if (auto fine = fill(ask, route, options); !fine) {
    out.refused = fine.error().describe();
    return out;
  }
  // The turn that the next call will have: the same decision.
  const auto why =
      policy::explain(target->stats_list, route.policy(), ask, loop_.turn_time(), (turns_ + 1) * kGoldenRatio);
  bool chosen = false;
  bool asked_for = false;
  for (const auto& verdict : why) {
    chosen = chosen || verdict.chosen;
    asked_for = asked_for || verdict.asked_for;
    out.instances.push_back(explained(verdict));
  }
  if (auto unserved = not_served(*target); unserved && asked_for) {
    out.refused = unserved->describe();
  } else if (!chosen) {
    auto why_not = refused(*target, options, asked_for ? Choice::Refused::circuit_open : Choice::Refused::nobody);
    if (asked_for) why_not.message += breaker_rules(*target->policy);
    out.refused = why_not.describe();
  }
  return out;
}

/// What every callee would answer, by the records of all.
std::optional<Error> Steering::not_served(const TargetState& target) const {
  const std::string_view method = std::string_view(target.name).substr(target.agent().size() + 1);
  if (method.starts_with('_') || is_served(target.name)) return std::nullopt;  // what is built in is in no record
  std::vector<std::string_view> known;
  for (const auto& candidate : *target.candidates) {
    for (const auto& info : candidate.record->methods) {
      if (!info.name.starts_with('_')) known.push_back(info.name);
    }
  }
  if (known.empty()) return std::nullopt;  // nothing is told there
  return Error(codes::no_such_method,
               "agent '" + std::string(target.agent()) + "' has no method '" + std::string(method) + "'" +
                   did_you_mean(method, known),
               "weft info " + std::string(target.agent()) + " lists its methods");
}

}  // namespace weft::mesh
