// The actor in whose turns an agent's own code runs: handlers of calls and events, timers, tasks. Private to agent.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "weft/actor/actor.hpp"

namespace weft {

/// A coroutine of the agent.
struct Job {
  UniqueFunction<Task<void>()> work;
};
/// Something of the agent that does not wait.
struct Errand {
  UniqueFunction<void()> work;
};
struct Tick {
  std::shared_ptr<std::function<void()>> work;
  Duration period;
};
struct Repeat {
  Tick tick;
};

/// One at a time, though another may start where one waits: an agent's state needs no lock wherever this runs.
class Handlers {
 public:
  using Messages = actor::Handles<Job, Errand, Tick, Repeat>;
  static constexpr bool interleaves = true;
  static constexpr std::size_t interleaves_max = 10'000'000;  // limits.in_flight_max is the limit
  /// `failed(what, exception)` is told of what escapes from the agent's code.
  using Failed = std::function<void(const std::string& what, const std::exception_ptr& failure)>;

  explicit Handlers(Failed failed) : failed_(std::move(failed)) {}
  Task<void> on(Job job);
  void on(Errand errand);
  void on(Tick tick);
  void on(Repeat repeat, actor::Context& context);

 private:
  Failed failed_;
};

}  // namespace weft
