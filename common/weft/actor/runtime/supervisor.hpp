// The actor that carries out what Supervision decides. Private to actor.
#pragma once
#include <unordered_map>
#include <vector>

#include "weft/actor/runtime/runtime.hpp"

namespace weft::actor {

/// A cell on its way to its supervisor; it ends if it is not taken over.
class Reserved {
 public:
  Reserved(Runtime& runtime, Address child) noexcept : runtime_(&runtime), child_(child) {}
  Reserved(Reserved&& other) noexcept : runtime_(std::exchange(other.runtime_, nullptr)), child_(other.child_) {}
  Reserved& operator=(Reserved&&) = delete;
  ~Reserved();
  Address take() noexcept {
    runtime_ = nullptr;
    return child_;
  }

 private:
  Runtime* runtime_;
  Address child_;
};

struct Adopt {
  Reserved child;
};
struct ChildStarted {
  std::uint64_t child, incarnation;
};
struct ChildEnded {
  std::uint64_t child, incarnation;
  Reason reason;
  std::string what;
};
struct RemoveChild {
  std::uint64_t child;
};
struct StartDue {
  std::uint64_t child, incarnation;
};
struct StopDue {
  std::uint64_t child, incarnation;
};
struct CheckHealth {
  std::uint64_t child, incarnation;
};

class SupervisorActor {
 public:
  using Messages = Handles<Adopt, ChildStarted, ChildEnded, RemoveChild, StartDue, StopDue, CheckHealth>;
  static constexpr bool interleaves = true;

  SupervisorActor(const SupervisorOptions& options, const std::vector<ChildSpec>& children);
  void pre_start(Context& context);
  bool hold_stop(Context& context);

  void on(Adopt adopt, Context& context);
  void on(ChildStarted started, Context& context);
  void on(ChildEnded ended, Context& context);
  void on(RemoveChild remove, Context& context);
  void on(StartDue due, Context& context);
  void on(StopDue due, Context& context);
  Task<void> on(CheckHealth check, Context& context);

 private:
  struct Child {
    Reserved owner;  ///< a child of the root outlives its supervisor and is not restarted after that
    Address address;
    std::uint64_t incarnation = 0;
    std::uint32_t unhealthy = 0;
    TimerId start_timer = 0, stop_timer = 0;
    bool closed = false;      ///< no longer accepts messages
    bool restarting = false;  ///< its health failed: it is stopped to be started again, however it ends
  };
  void adopt(const Address& child, Context& context);
  void carry_out(const Supervision::Actions& actions, Context& context);
  void start(std::uint64_t number, Duration delay, Context& context);
  void stop(std::uint64_t number, Context& context);
  void gave_up(std::uint64_t number, Context& context);
  void removed(std::uint64_t number, Context& context);
  void close(Child& child, State as, Context& context);
  void ended(std::uint64_t number, Reason reason, Context& context);
  Child* find(std::uint64_t number, std::uint64_t incarnation);

  std::vector<ChildSpec> specs_;
  Supervision core_;
  std::unordered_map<std::uint64_t, Child> children_;  ///< by the id of their address
  std::string last_failure_;
  bool finished_ = false;  ///< stop_all() is done
};

}  // namespace weft::actor
