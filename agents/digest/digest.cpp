// What digest hears and answers.
#include "agents/digest/digest.hpp"

#include "weft/base/request.hpp"

namespace weft::digest {

namespace {
Thresholds thresholds_of(std::vector<Threshold> settings, Agent& agent) {
  auto made = Thresholds::make(std::move(settings));
  if (!made) agent.refuse_settings(made.error());
  return std::move(*made);
}
}  // namespace

Digest::Digest(Settings settings, Agent& agent)
    : agent_(agent),
      board_({static_cast<std::size_t>(settings.hosts_max), static_cast<std::size_t>(settings.series_max)}),
      thresholds_(thresholds_of(std::move(settings.thresholds), agent)) {
  agent_.subscribe("host.*.metrics", [this](metrics::Host figures, const Event& event) { take(figures, event); });
  agent_.serve(
      "summary",
      [this](Value request, Call&) -> Task<Result<Summary>> {
        auto wanted = request_of<SummaryRequest>(request);
        if (!wanted) co_return wanted.error();
        co_return board_.summary(*wanted, agent_.loop().now());
      },
      "{host, series, window}: count, min, mean, p50, p95 and max per host and series");
  agent_.serve(
      "hosts",
      [this](Value, Call&) -> Task<Result<std::vector<HostSeen>>> { co_return board_.hosts(agent_.loop().now()); },
      "hosts that send figures, and how long ago they last did");
  agent_.every(1min, [this] { expire(); });
  show_metrics();
}

void Digest::take(const metrics::Host& figures, const Event& event) {
  const std::string host(metrics::host_of(event.topic));
  if (host.empty()) return;
  const auto now = agent_.loop().now();
  metrics::each_series(figures, [&](const std::string& series, double value) {
    if (!board_.add(host, series, value, now)) return;
    for (const auto& crossing : thresholds_.check(host, series, value, now)) tell(crossing);
  });
}

void Digest::tell(const Crossing& crossing) {
  const auto& threshold = *crossing.threshold;
  const bool above = threshold.above.has_value();
  ErrorEvent event;
  event.severity = crossing.raised ? threshold.severity : Severity::info;
  event.category = "resource";
  event.code = crossing.raised ? "THRESHOLD_CROSSED" : "THRESHOLD_CLEARED";
  event.message = crossing.raised ? "{series} of {machine} is {value}, {side} {limit}: threshold {threshold}"
                                  : "{series} of {machine} is back at {value}: threshold {threshold}";
  event.values = {{"series", crossing.series},
                  {"machine", crossing.host},
                  {"value", crossing.value},
                  {"side", above ? "above" : "below"},
                  {"limit", above ? *threshold.above : *threshold.below},
                  {"threshold", threshold.name},
                  {"lasting", to_text(threshold.lasting)}};
  event.fingerprint = event.code + "/" + threshold.name + "/" + crossing.host + "/" + crossing.series;
  agent_.report(std::move(event));
}

void Digest::expire() {
  for (const auto& host : board_.expire(agent_.loop().now())) thresholds_.forget(host);
}

void Digest::show_metrics() {
  auto& metrics = agent_.metrics();
  auto& hosts = metrics.gauge("weft_digest_hosts", "Hosts whose figures are kept.");
  auto& series = metrics.gauge("weft_digest_series", "Series whose windows are kept.");
  auto& refused = metrics.counter("weft_digest_refused_total", "Values refused: no number, or a limit of the agent.");
  metrics.on_collect([this, &hosts, &series, &refused] {
    hosts.set(static_cast<double>(board_.host_count()));
    series.set(static_cast<double>(board_.series_count()));
    refused.add(board_.refused() - refused.value());
  });
}

}  // namespace weft::digest
