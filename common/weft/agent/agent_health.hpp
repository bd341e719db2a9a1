// AgentHealth: runs the health checks of an agent, and publishes the worst of what its process says of itself: to the
// record in the registry, the metrics, the log and the error bus. Private to agent. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/agent/health_check.hpp"
#include "weft/base/base.hpp"
#include "weft/observe/observe.hpp"

namespace weft {

class AgentHealth {
 public:
  /// A change for the better, or of the text only, is published this long after the last change at the earliest; a
  /// change for the worse at once. So what flaps costs the registry two or three changes a second.
  static constexpr Duration kSettle = std::chrono::seconds(1);
  /// Starts one run of a check; `done` is called on the loop at most once.
  using Run = std::function<void(std::function<void(CheckResult)> done)>;
  using Publish = std::function<void(Health::Status status, const std::string& text)>;

  /// `publish` is called with the worst state of all checks but those that are about the registry itself. Borrows the
  /// rest.
  AgentHealth(Loop& loop, Health& health, observe::Metrics& metrics, observe::Log& log, Publish publish);
  ~AgentHealth();

  /// Runs `run` from now on, again and again. A bad rule or a name that is in use is a bug and throws.
  void add(std::string name, const CheckRules& rules, Run run);

 private:
  struct Check;
  void begin(Check& check);
  void end(Check& check, CheckResult result);
  void changed(const std::string& name, const Health::Check& check);
  void publish();

  Loop& loop_;
  Health& health_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  Publish publish_;
  std::vector<std::shared_ptr<Check>> checks_;
  Health::Check published_{true, {}, Health::pass};
  std::optional<TimePoint> published_at_;
  Timer settle_;
};

}  // namespace weft
