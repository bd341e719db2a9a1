// One small state machine a rule and series.
#include "agents/digest/thresholds.hpp"

#include <cmath>

namespace weft::digest {

Result<Thresholds::Rule> Thresholds::rule_of(Threshold threshold) {
  const auto wrong = [&](const std::string& what) {
    return Error(codes::bad_value, "threshold '" + threshold.name + "': " + what);
  };
  if (threshold.above.has_value() == threshold.below.has_value()) return wrong("wanted one of 'above' and 'below'");
  auto series = TopicPattern::parse(threshold.series);
  if (!series) return wrong("series: " + series.error().message);
  auto host = TopicPattern::parse(threshold.host);
  if (!host) return wrong("host: " + host.error().message);
  const bool above = threshold.above.has_value();
  const double limit = above ? *threshold.above : *threshold.below;
  const double tenth = std::abs(limit) / 10;
  const double clear = threshold.clear.value_or(above ? limit - tenth : limit + tenth);
  if (above ? clear > limit : clear < limit)
    return wrong("'clear' must lie on the good side of the limit, got " + std::to_string(clear));
  return Rule{std::move(threshold), std::move(*series), std::move(*host), limit, clear, above};
}

Result<Thresholds> Thresholds::make(std::vector<Threshold> thresholds) {
  Thresholds made;
  for (auto& threshold : thresholds) {
    auto rule = rule_of(std::move(threshold));
    if (!rule) return rule.error();
    made.rules_.push_back(std::move(*rule));
  }
  return made;
}

std::vector<Crossing> Thresholds::check(const std::string& host, const std::string& series, double value,
                                        TimePoint now) {
  auto& of_host = states_[host];
  auto at = of_host.find(series);
  if (at == of_host.end()) {  // which rules apply is found once
    at = of_host.emplace(series, std::vector<State>{}).first;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      if (rules_[i].series.matches(series) && rules_[i].host.matches(host)) at->second.push_back({i});
    }
  }
  std::vector<Crossing> crossings;
  for (auto& state : at->second) {
    if (turned(state, value, now))
      crossings.push_back({&rules_[state.rule].threshold, state.raised, host, series, value});
  }
  return crossings;
}

bool Thresholds::turned(State& state, double value, TimePoint now) const {
  const Rule& rule = rules_[state.rule];
  if (now - state.last_at > kSilenceMax) state.turning_since.reset();
  state.last_at = now;
  const bool turning = state.raised ? rule.back(value) : rule.over(value);
  if (!turning) {
    state.turning_since.reset();
    return false;
  }
  if (!state.turning_since) state.turning_since = now;
  if (now - *state.turning_since < rule.threshold.lasting) return false;
  state.turning_since.reset();
  state.raised = !state.raised;
  return true;
}

void Thresholds::forget(const std::string& host) { states_.erase(host); }

}  // namespace weft::digest
