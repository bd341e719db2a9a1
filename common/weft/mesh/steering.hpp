// Steering: the policies of a process at work: for each target the balancer's tracks, breakers and retry budget.
// Private to mesh.
#pragma once
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/base/hash.hpp"
#include "weft/base/target.hpp"
#include "weft/mesh/circuit_gossip.hpp"
#include "weft/mesh/gather.hpp"
#include "weft/mesh/liveness.hpp"
#include "weft/mesh/names.hpp"
#include "weft/mesh/router.hpp"
#include "weft/observe/observe.hpp"
#include "weft/peer/peer.hpp"
#include "weft/policy/balancer.hpp"
#include "weft/policy/retry.hpp"
#include "weft/wire/call_explanation.hpp"

namespace weft::mesh {

using policy::Balance;
using policy::Breaker;
using policy::BreakerForce;
using policy::BreakerState;
using policy::Choice;
using policy::EffectivePolicy;
using policy::Explanation;
using policy::Policy;
using policy::PolicySetting;
using policy::ReportingCaller;
using policy::RetryBudget;
using policy::Selector;
using policy::TargetStats;
using policy::WhyChosen;

/// One target as this process calls it.
struct TargetState {
  std::string name;      ///< "agent.method"
  std::uint32_t id = 0;  ///< Caller::target_id()
  const EffectivePolicy* policy = nullptr;
  std::uint64_t version = 0;  ///< of the router, when `tracks` were made
  std::shared_ptr<const Router::Candidates> candidates;
  std::vector<TargetStats> stats_list;  ///< one for each candidate, in the same order
  RetryBudget budget;
  observe::Counter *retries = nullptr, *retries_denied = nullptr, *hedges = nullptr;
  std::array<observe::Gauge*, 3> state{};  ///< by BreakerState

  std::string_view agent() const noexcept { return split_target(name).agent; }
  TargetStats* stats_of(const InstanceState& instance_state) noexcept;
};

/// Ulid::short_id() of those that a call was sent to. Later ones than fit are tried again.
struct AttemptedInstances {
  std::array<std::uint64_t, 12> ids;  // the first `count`
  std::size_t count = 0;
};

/// The way of one call: where it was sent, and what it holds while it waits. Lives in the call's frame, and gives back
/// when that is destroyed.
struct Route {
  explicit Route(std::shared_ptr<TargetState> to) : target(std::move(to)) {}
  Route(const Route&) = delete;
  Route& operator=(const Route&) = delete;
  ~Route() { release(); }

  std::shared_ptr<TargetState> target;
  std::shared_ptr<const Router::Candidates> among;  ///< keeps what `at` points to
  const Router::Candidate* at = nullptr;            ///< of the attempt that waits; null: none
  Breaker::Pass pass = Breaker::Pass::normal;
  WhyChosen why = WhyChosen::none;  ///< of the latest attempt, as is the next
  std::uint32_t candidates = 0;
  AttemptedInstances own_attempted;
  AttemptedInstances* attempted = &own_attempted;  ///< shared by the two halves of a hedged call

  const Policy& policy() const noexcept { return target->policy->policy; }
  std::span<const std::uint64_t> avoid() const noexcept { return {attempted->ids.data(), attempted->count}; }
  void hold(std::size_t index, Breaker::Pass as) noexcept;
  /// The attempt is over. The breaker learns nothing by it.
  void release() noexcept;
};

class Steering {
 public:
  /// Borrows all.
  Steering(Loop& loop, Caller& caller, Router& router, std::shared_ptr<const Policies> policies,
           observe::Metrics& metrics, observe::Log& log);

  /// Serves `_breakers`: what `weft breaker` asks.
  void serve(Peer& peer);
  /// Called when reports() has changed.
  void on_reports(std::function<void()> notify) { notify_reports_ = std::move(notify); }
  /// What this process found out about its circuits lately, for other callers. Ends what others reported and nobody
  /// renewed: to be asked with each beat.
  std::vector<CircuitNews> reports();
  /// Applies the circuit reports in the record of another caller.
  void receive_reports(const InstanceRecord& caller);
  void gone(const Ulid& caller) { peer_reports_.gone(caller); }
  /// The instance has left the registry: it is not pinged any more.
  void instance_removed(const Ulid& instance) { liveness_.gone(instance); }
  /// Those whom a gathering asks, by id.
  std::vector<Gathered::Answer> wanted(std::string_view agent, const CallOptions& options,
                                       const GatherOptions& gathering);
  const std::shared_ptr<TargetState>& target(std::string_view name) {
    return last_ && last_->name == name ? last_ : last_ = look_up(name);
  }
  /// Where the next attempt goes; `course` holds it. Errors: `no_registry`, `no_responders`, `circuit_open`,
  /// `bad_value`.
  Result<const Router::Candidate*> select(Route& route, const CallOptions& options);
  /// An attempt has ended: its circuit and its instance's measures take the outcome, and `outgoing.retry_after` is set
  /// where the policy asks for another attempt.
  void ended(Route& route, Outgoing& outgoing, const Result<Payload>& outcome);
  /// True, and paid for, when a second call may go.
  bool may_hedge(TargetState& target);

  /// Circuits, budgets and what was measured stay.
  void set_policies(std::shared_ptr<const Policies> policies);
  /// Every circuit of this process, by target and instance.
  Value breakers();
  /// `force` for those of `target` ("agent.method" or "agent"), at one instance or at all. How many. Errors:
  /// `not_found` class, naming the nearest target called.
  Result<std::size_t> force(std::string_view target, std::string_view instance, BreakerForce force);
  /// The decision that a call of `name` would get now, and its policy with the places that said so.
  wire::CallExplanation explain(std::string_view name, const CallOptions& options);

 private:
  std::shared_ptr<TargetState> look_up(std::string_view name);
  static Result<void> fill(Selector& ask, const Route& route, const CallOptions& options);
  bool is_served(std::string_view name) const;
  std::optional<Error> not_served(const TargetState& target) const;
  void refresh(TargetState& target);
  void measure(Route& route, const Outgoing& call, const Result<Payload>& outcome);
  void consider_retry(const Route& route, Outgoing& call, const Result<Payload>& outcome);
  bool another(const Route& route, const CallOptions& options) const noexcept;
  Error refused(const TargetState& target, const CallOptions& options, Choice::Refused why) const;
  void record_transition(TargetState& target, const TargetStats& stats, std::optional<Breaker::Transition> transition);
  /// The same for what calls of this process found out: other callers learn of it.
  void publish_transition(TargetState& target, const TargetStats& stats, std::optional<Breaker::Transition> transition);
  void receive_report(const std::shared_ptr<const ReportingCaller>& by, const CircuitNews& report);
  void apply_report(TargetState& target, TargetStats& stats, const std::shared_ptr<const ReportingCaller>& by,
                    BreakerState state, Duration hold);
  void start_from_reports(TargetState& target);
  void answers_again(const InstanceState& instance_state);
  std::uint64_t chance(Balance balance);

  Loop& loop_;
  Caller& caller_;
  Router& router_;
  std::shared_ptr<const Policies> policies_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  Random random_ = Random::from_os();
  std::uint64_t turns_ = 0;
  Liveness liveness_;
  OutgoingReports own_reports_;
  PeerReports peer_reports_;
  std::function<void()> notify_reports_;
  std::unordered_map<std::string, std::shared_ptr<TargetState>, TextHash, std::equal_to<>> targets_;
  std::shared_ptr<TargetState> last_;  // that was called: the next call is often one of the same
};

}  // namespace weft::mesh
