// The registry's metrics: which agents are up, what agents asked, how it stands with peers and store. Loop-bound.
#pragma once
#include <map>
#include <set>
#include <string>

#include "registry/book.hpp"
#include "weft/observe/observe.hpp"

namespace weft::registry {

/// Borrows `metrics`.
class Meters {
 public:
  explicit Meters(observe::Metrics& metrics);
  /// After each change of the view: weft_agent_up and weft_agent_info. An agent that no longer exists is shown as down
  /// until the process ends, so that an alert can see it; a version that nobody runs has no weft_agent_info. The number
  /// of series is capped by observe::Metrics.
  void follow(const wire::Changes& changes);
  void measure(const Book& book);
  /// `outcome` null: it was done.
  void registration(const Error* outcome);
  void renewal(const Error* outcome);

  observe::Counter& store_errors;

 private:
  using Place = std::pair<std::string, std::string>;  // agent and host
  void present(const InstanceRecord& record);
  void gone(const wire::Removal& removal);
  void show(const Place& place, bool up);
  void show_info(const Place& place, const std::string& version, bool present);
  observe::Counter& outcome_counter(std::string_view name, std::string_view help, const Error* outcome);

  observe::Metrics& metrics_;
  observe::Gauge &confirmed_, &unconfirmed_, &replicated_;
  observe::Counter &expired_, &starts_cut_;
  std::map<Ulid, std::pair<Place, std::string>> instances_;  // and its version
  std::map<Place, std::multiset<std::string>> versions_;     // of the live instances
};

}  // namespace weft::registry
