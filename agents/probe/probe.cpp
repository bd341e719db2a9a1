// What probe does with its targets on the loop.
#include "agents/probe/probe.hpp"

#include <algorithm>

#include "weft/base/request.hpp"

namespace weft::probe {

namespace {
struct CheckRequest {
  std::string target;
  WEFT_FIELDS(CheckRequest, target)
};
constexpr std::string_view kChecks = "weft_probe_checks_total", kChecksHelp = "Checks of targets, by outcome.";
}  // namespace

Probe::Probe(Settings settings, Agent& agent)
    : settings_(std::move(settings)),
      agent_(agent),
      timer_(agent.loop()),
      good_(agent.metrics().counter(kChecks, kChecksHelp, {{"result", "good"}})),
      bad_(agent.metrics().counter(kChecks, kChecksHelp, {{"result", "bad"}})),
      latency_(agent.metrics().histogram("weft_probe_duration_seconds", "How long targets took to answer.",
                                         observe::latency_bounds())) {
  Defaults defaults{settings_.period, settings_.timeout, settings_.rise, settings_.fall, settings_.severity};
  defaults.host_address = agent_.mesh().peer().options().address;
  auto targets = targets_of(settings_.targets, defaults);
  if (!targets) agent_.refuse_settings(targets.error());
  watched_.reserve(targets->size());
  for (auto& target : *targets) watch(std::move(target));
  agent_.publishes("probe." + agent_.host() + ".*");
  serve();
  pump();
}

void Probe::watch(Target target) {
  auto& up = agent_.metrics().gauge("weft_probe_up", "1: the target is up.", {{"target", target.name}});
  schedule_.begin(watched_.size(), target.period, agent_.loop().now());
  Standing standing(target.rise, target.fall);
  TargetStatus status;
  status.target = target.name;
  status.address = target.address;
  watched_.push_back({std::move(target), standing, std::move(status), up});
}

void Probe::serve() {
  agent_.serve(
      "targets",
      [this](Value, Call&) -> Task<Result<std::vector<TargetStatus>>> {
        std::vector<TargetStatus> all;
        for (const auto& watched : watched_) all.push_back(watched.status);
        co_return all;
      },
      "every target: state, latency, since when, last error");
  agent_.serve(
      "check",
      [this](Value request, Call&) -> Task<Result<Finding>> {
        auto wanted = request_of<CheckRequest>(request);
        if (!wanted) co_return wanted.error();
        co_return co_await check_now(wanted->target);
      },
      "{target}: checks it now");
}

Task<Result<Finding>> Probe::check_now(std::string name) {
  const auto found =
      std::find_if(watched_.begin(), watched_.end(), [&](const Watched& w) { return w.target.name == name; });
  if (found == watched_.end()) {
    std::vector<std::string_view> known;
    for (const auto& watched : watched_) known.push_back(watched.target.name);
    co_return Error(ErrorKind::not_found, "UNKNOWN_TARGET", "no target '" + name + "'" + did_you_mean(name, known));
  }
  if (running_ >= 2 * static_cast<std::size_t>(settings_.concurrent))
    co_return Error(codes::queue_full, "probe: too many checks are under way");
  co_return co_await check(static_cast<std::size_t>(found - watched_.begin()));
}

void Probe::pump() {
  const auto now = agent_.loop().now();
  while (running_ < static_cast<std::size_t>(settings_.concurrent)) {
    const auto due = schedule_.take(now);
    if (!due) break;
    agent_.spawn(turn(*due));
  }
  const bool room = running_ < static_cast<std::size_t>(settings_.concurrent);
  if (const auto next = schedule_.earliest(); next && room) timer_.start(*next - now, [this] { pump(); });
}

Task<void> Probe::turn(std::size_t index) {
  const auto started = agent_.loop().now();
  co_await check(index);
  schedule_.again(index, watched_[index].target.period, started, agent_.loop().now());
  timer_.start({}, [this] { pump(); });
}

Task<Finding> Probe::check(std::size_t index) {
  ++running_;
  const auto started = agent_.loop().now();
  Result<void> outcome;
  try {
    outcome = co_await ask(watched_[index].target);
  } catch (const std::exception& thrown) {  // counts against the target, which stays on the schedule
    outcome = Error(codes::bug, thrown.what());
  }
  --running_;
  co_return note(watched_[index], outcome, agent_.loop().now() - started);
}

Task<Result<void>> Probe::ask(Target target) {
  if (target.url.empty()) co_return co_await io::tcp_probe(agent_.loop(), target.host, target.port, target.timeout);
  io::HttpClientOptions options;
  options.timeout = target.timeout;
  auto answer = co_await io::http_get(agent_.loop(), target.url, options);
  if (!answer) co_return answer.error();
  co_return judge(target, answer->status, answer->body);
}

Finding Probe::note(Watched& watched, const Result<void>& outcome, Duration took) {
  (outcome ? good_ : bad_).add();
  if (outcome) latency_.observe(to_seconds(took));
  const auto change = watched.standing.take(outcome.has_value());
  auto& status = watched.status;
  status.state = watched.standing.state();
  status.latency_ms = to_seconds(took) * 1000;
  status.checked_us = to_us(agent_.loop().clock().wall());
  ++status.checks;
  if (!outcome) {
    ++status.failures;
    status.last_error = outcome.error().message;
  }
  watched.up.set(status.state == State::up ? 1 : 0);
  if (change) {
    status.since_us = status.checked_us;
    tell_change(watched, *change);
  }
  Finding finding{agent_.host(),
                  status.target,
                  status.address,
                  status.state,
                  outcome.has_value(),
                  status.latency_ms,
                  outcome ? std::string() : outcome.error().message,
                  status.checked_us};
  if (change || settings_.publish == "each") {
    if (auto sent = agent_.publish("probe." + agent_.host() + "." + status.target, finding); !sent)
      agent_.log().error("finding not published", sent.error());
  }
  return finding;
}

void Probe::tell_change(const Watched& watched, const Change& change) {
  if (change.from == State::unknown && change.to == State::up) return;  // as it should be
  const bool down = change.to == State::down;
  ErrorEvent event;
  event.severity = down ? watched.target.severity : Severity::info;
  event.category = "network";
  event.code = down ? "TARGET_DOWN" : "TARGET_UP";
  event.message = down ? "{target} ({address}) is down: {why}" : "{target} ({address}) is up again";
  event.values = {{"target", watched.target.name}, {"address", watched.target.address}};
  if (down) event.values["why"] = watched.status.last_error;
  event.fingerprint = event.code + "/" + agent_.host() + "/" + watched.target.name;
  agent_.report(std::move(event));
}

}  // namespace weft::probe
