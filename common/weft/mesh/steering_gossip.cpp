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

void Steering::share(Target& target, const Track& track, std::optional<Breaker::Transition> transition) {
  tell(target, track, transition);
  const auto& rules = target.policy->policy.breaker;
  if (!transition || !rules.shared) return;
  told_.put(target.name, track.replica->id, transition->to, loop_.turn_time() + rules.open_for);
  if (tell_news_) tell_news_();
}

std::vector<CircuitNews> Steering::news() {
  const TimePoint now = loop_.turn_time();
  heard_.expire(now, [&](const std::string& name, const Ulid& instance) {
    const auto found = targets_.find(name);
    if (found == targets_.end()) return;
    Target& target = *found->second;
    for (auto& track : target.tracks) {
      if (track.replica->id == instance) tell(target, track, track.breaker.lapse(target.policy->policy.breaker, now));
    }
  });
  return told_.list(now);
}

void Steering::hear(const InstanceRecord& caller) {
  const auto fresh = heard_.fresh(caller);
  if (fresh.empty()) return;
  const auto by = std::make_shared<const Teller>(Teller{caller.instance, caller.agent + "@" + caller.host});
  for (const auto& news : fresh) hear_one(by, news);
}

void Steering::hear_one(const std::shared_ptr<const Teller>& by, const CircuitNews& news) {
  const auto state = state_named(news.state);
  if (!state || !agent_of(news.target)) return;
  const auto& rules = policies_->policy_for(news.target).policy.breaker;
  if (!rules.shared || !rules.ever_opens()) return;
  const TimePoint now = loop_.turn_time();
  const Duration hold = part_of(rules.open_for, hold_part(random_.unit()));
  if (const auto found = targets_.find(news.target); found != targets_.end()) {
    Target& target = *found->second;
    refresh(target);
    for (auto& track : target.tracks) {
      if (track.replica->id == news.instance) mind(target, track, by, *state, hold);
    }
  }
  if (*state == BreakerState::closed)
    heard_.closed(news.target, news.instance);
  else
    heard_.open(news.target, news.instance, {by, now + hold, now + hold + rules.open_for});
}

void Steering::mind(Target& target, Track& track, const std::shared_ptr<const Teller>& by, BreakerState state,
                    Duration hold) {
  const auto& rules = target.policy->policy.breaker;
  const TimePoint now = loop_.turn_time();
  Breaker::Heard heard;
  if (state == BreakerState::open) {
    auto before = std::exchange(track.told_by, by);
    heard = track.breaker.told_open(rules, now, hold);
    if (!heard.followed) track.told_by = std::move(before);
  } else if (state == BreakerState::half_open) {
    heard = track.breaker.told_probe(rules, now, hold);
  } else {
    const bool agrees = track.told_by && track.told_by->instance == by->instance;
    heard = track.breaker.told_closed(rules, now, agrees);
  }
  tell(target, track, heard.transition);
  metrics_
      .counter("weft_circuit_breaker_heard_total",
               "What other callers told of circuits that this process has too, by what they told and what became of it",
               {{"target", target.name},
                {"told", std::string(to_string(state))},
                {"outcome", heard.followed ? "followed" : "ignored"}})
      .add();
}

/// Circuits that are new begin as others told.
void Steering::begin_as_told(Target& target) {
  const TimePoint now = loop_.turn_time();
  for (auto& track : target.tracks) {
    if (track.told_by || track.measured != TimePoint{} || !track.breaker.admits_all()) continue;
    const auto* opening = heard_.find(target.name, track.replica->id, now);
    if (opening) mind(target, track, opening->by, BreakerState::open, opening->until - now);
  }
}

}  // namespace weft::mesh
