// The health of a hosted agent: its own word, and the checks that run in the turns of its actor.
#include <array>

#include "weft/agent/hosted.hpp"

namespace weft {

void Hosted::health(Health::Status status, std::string text) {
  const std::string name(Health::kOwnWord);
  if (in_loop()) return program_.health().set(name, status, std::move(text));
  loop().post([this, name, status, text = std::move(text)] { program_.health().set(name, status, text); });
}

void Hosted::add_check(std::string name, CheckRules rules, std::function<Task<CheckResult>()> run) {
  auto held = std::make_shared<std::function<Task<CheckResult>()>>(std::move(run));
  agent_health_.add(std::move(name), rules, [this, held](std::function<void(CheckResult)> done) {
    Job job{[this, held, done]() -> Task<void> {
      CheckResult result;
      try {
        result = co_await (*held)();
      } catch (const std::exception& failure) {
        result = CheckResult(Health::critical, std::string("it threw: ") + failure.what());
      } catch (...) {
        result = CheckResult(Health::critical, "it threw");
      }
      loop().post([done, result] { done(result); });
    }};
    if (auto sent = actors_.send(handlers_, std::move(job)); !sent)
      loop().post([done, why = sent.error().message] { done({Health::critical, "it could not run: " + why}); });
  });
}

void Hosted::publish_health(Health::Status status, const std::string& text) {
  constexpr std::array kStates{wire::HealthState::passing, wire::HealthState::warning, wire::HealthState::critical};
  mesh_.set_health(kStates[status], text);
  if (status != Health::critical) return;
  ErrorEvent event;
  event.severity = Severity::error;
  event.category = "health";
  event.code = codes::unhealthy.id;
  event.message = "the health of this agent is critical: {text}";
  event.values = {{"text", text}};
  mesh_.report(std::move(event));
}

}  // namespace weft
