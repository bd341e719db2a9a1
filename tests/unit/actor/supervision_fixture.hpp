// A supervisor under test whose answers are text.
#pragma once
#include <initializer_list>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/actor/actions.hpp"

namespace weft::actor::test {

inline constexpr ChildPolicy permanent{}, transient{Restart::transient, false}, temporary{Restart::temporary, false},
    significant{Restart::permanent, true};

inline SupervisorOptions with(Strategy strategy, Intensity child = {}, Intensity total = {100, 60s}) {
  SupervisorOptions options;
  options.strategy = strategy;
  options.child_limit = child;
  options.total_limit = total;
  return options;
}

/// A supervisor whose children are named by numbers in start order, and a clock.
struct Fixture {
  explicit Fixture(SupervisorOptions options) : supervision(options) {}
  explicit Fixture(Strategy strategy) : Fixture(with(strategy)) {}

  std::string add(Supervision::Child child, ChildPolicy policy = permanent) {
    return told(supervision.add(child, policy));
  }
  std::string remove(Supervision::Child child) { return told(supervision.remove(child)); }
  std::string started(Supervision::Child child) { return told(supervision.started(child)); }
  std::string restart(Supervision::Child child) { return told(supervision.restart(child)); }
  std::string stop_all() { return told(supervision.stop_all()); }
  std::string ended(Supervision::Child child, Reason reason = Reason::error) {
    return told(supervision.ended(child, reason, now));
  }
  /// The answer to a stop.
  std::string stopped(Supervision::Child child) { return ended(child, Reason::shutdown); }
  void run(std::initializer_list<Supervision::Child> children, ChildPolicy policy = permanent) {
    for (const auto child : children) {
      REQUIRE(add(child, policy) == "start " + std::to_string(child));
      REQUIRE(started(child).empty());
    }
  }
  /// Crashes and starts again at once, `times` times.
  void crash(Supervision::Child child, int times) {
    for (int i = 0; i < times; ++i) {
      REQUIRE(ended(child).substr(0, 5) == "start");
      REQUIRE(started(child).empty());
    }
  }

  Supervision supervision;
  TimePoint now{1h};

 private:
  static std::string told(const Supervision::Actions& actions) { return text(actions); }
};

struct OneForOne : Fixture {
  OneForOne() : Fixture(Strategy::one_for_one) {}
};
struct OneForAll : Fixture {
  OneForAll() : Fixture(Strategy::one_for_all) {}
};
struct RestForOne : Fixture {
  RestForOne() : Fixture(Strategy::rest_for_one) {}
};

}  // namespace weft::actor::test
