#include "weft/agent/agent_health.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace weft {
namespace {

/// What these say is not for the record: the registry knows whether it holds a lease, and a process that stops leaves.
constexpr auto kOwnAffairs = std::to_array<std::string_view>({"registry", "draining"});

std::string_view state_name(observe::Health::Status status) noexcept {
  constexpr auto kNames = std::to_array<std::string_view>({"passing", "warning", "critical"});
  static_assert(kNames.size() == observe::Health::critical + 1);
  return kNames[status];
}

}  // namespace

struct AgentHealth::Check : std::enable_shared_from_this<AgentHealth::Check> {
  Check(Loop& loop, std::string check, const CheckRules& how, Run what)
      : name(std::move(check)), rules(how), state(how), run(std::move(what)), next(loop), timeout(loop) {}

  const std::string name;
  const CheckRules rules;
  CheckState state;
  const Run run;
  Timer next, timeout;
  bool running = false, late = false;
  TimePoint begun{};
};

AgentHealth::AgentHealth(Loop& loop, Health& health, observe::Metrics& metrics, observe::Log& log, Publish publish)
    : loop_(loop), health_(health), metrics_(metrics), log_(log), publish_(std::move(publish)), settle_(loop) {
  health_.on_change([this](const std::string& name, const Health::Check& check) { changed(name, check); });
}

AgentHealth::~AgentHealth() { health_.on_change({}); }

void AgentHealth::add(std::string name, const CheckRules& rules, Run run) {
  const bool used = health_.checks().contains(name) ||
                    std::any_of(checks_.begin(), checks_.end(), [&](const auto& one) { return one->name == name; });
  if (name.empty() || used)
    throw std::logic_error("a health check named '" + name + "' is there already, or has no name");
  if (rules.interval <= Duration::zero() || rules.timeout <= Duration::zero() || rules.failures_before_critical == 0 ||
      rules.successes_before_passing == 0)
    throw std::logic_error("the rules of the health check '" + name + "': all values must be above 0");
  Check& check = *checks_.emplace_back(std::make_shared<Check>(loop_, std::move(name), rules, std::move(run)));
  check.next.start(Duration::zero(), [this, &check] { begin(check); });
}

void AgentHealth::begin(Check& check) {
  if (check.running) {  // the former run has not ended, and may never do
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(loop_.now() - check.begun);
    return end(check, {Health::critical, "a run that began " + std::to_string(age.count()) + " s ago has not ended"});
  }
  check.running = true;
  check.late = false;
  check.begun = loop_.now();
  check.timeout.start(check.rules.timeout, [this, &check] {
    check.late = true;
    end(check, {Health::critical, "no result within " + to_text(check.rules.timeout)});
  });
  check.run([this, weak = check.weak_from_this()](CheckResult result) {
    const auto ran = weak.lock();
    if (!ran) return;
    ran->running = false;
    if (!ran->late) end(*ran, std::move(result));
  });
}

void AgentHealth::end(Check& check, CheckResult result) {
  check.timeout.stop();
  const CheckResult shown = check.state.add(std::move(result));
  check.next.start(check.rules.interval, [this, &check] { begin(check); });
  health_.set(check.name, shown.status, shown.text);
}

void AgentHealth::changed(const std::string& name, const Health::Check& check) {
  for (const auto status : {Health::pass, Health::warn, Health::critical}) {
    metrics_
        .gauge("weft_health_state", "1 for the state of each health check of this process",
               {{"check", name}, {"state", std::string(state_name(status))}})
        .set(check.status == status ? 1 : 0);
  }
  const auto worst = health_.worst(kOwnAffairs);
  if (worst.status == published_.status && worst.text == published_.text) return settle_.stop();
  const bool worse = worst.status > published_.status;
  const TimePoint earliest = !worse && published_at_ ? *published_at_ + kSettle : loop_.now();
  if (earliest <= loop_.now()) return publish();
  if (!settle_.running()) settle_.start(earliest - loop_.now(), [this] { publish(); });
}

void AgentHealth::publish() {
  settle_.stop();
  const auto before = std::exchange(published_, health_.worst(kOwnAffairs));
  published_at_ = loop_.now();
  if (before.status != published_.status) {
    log_.write(published_.status == Health::pass ? observe::Level::info : observe::Level::warn,
               "the health of this agent changed",
               {{"from", std::string(state_name(before.status))},
                {"to", std::string(state_name(published_.status))},
                {"text", published_.text}});
  }
  publish_(published_.status, published_.text);
}

}  // namespace weft
