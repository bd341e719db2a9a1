// Metrics, events, reports.
#include "agents/probe/telling.hpp"

namespace weft::probe {

namespace {
constexpr std::string_view kChecks = "weft_probe_checks_total", kChecksHelp = "Checks of targets, by outcome.";
}

Telling::Telling(Agent& agent, Targets targets, bool each)
    : agent_(agent),
      targets_(std::move(targets)),
      each_(each),
      good_(agent.metrics().counter(kChecks, kChecksHelp, {{"result", "good"}})),
      bad_(agent.metrics().counter(kChecks, kChecksHelp, {{"result", "bad"}})),
      latency_(agent.metrics().histogram("weft_probe_duration_seconds", "How long targets took to answer.",
                                         observe::latency_bounds())) {
  for (const Target& target : *targets_)
    up_.push_back(&agent.metrics().gauge("weft_probe_up", "1: the target is up.", {{"target", target.name}}));
}

void Telling::operator()(std::uint32_t target, const Finding& finding, const std::optional<Change>& change) {
  (finding.good ? good_ : bad_).add();
  if (finding.good) latency_.observe(finding.latency_ms / 1000);
  up_[target]->set(finding.state == State::up ? 1 : 0);
  if (change) tell_change((*targets_)[target], finding, *change);
  if (!change && !each_) return;
  if (auto sent = agent_.publish("probe." + agent_.host() + "." + finding.target, finding); !sent)
    agent_.log().error("finding not published", sent.error());
}

void Telling::tell_change(const Target& target, const Finding& finding, const Change& change) {
  if (change.from == State::unknown && change.to == State::up) return;  // as it should be
  const bool down = change.to == State::down;
  ErrorEvent event;
  event.severity = down ? target.severity : Severity::info;
  event.category = "network";
  event.code = down ? "TARGET_DOWN" : "TARGET_UP";
  event.message = down ? "{target} ({address}) is down: {why}" : "{target} ({address}) is up again";
  event.values = {{"target", target.name}, {"address", target.address}};
  if (down) event.values["why"] = finding.error;
  event.fingerprint = event.code + "/" + agent_.host() + "/" + target.name;
  agent_.report(std::move(event));
}

}  // namespace weft::probe
