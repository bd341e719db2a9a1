#include "weft/actor/runtime/supervisor.hpp"
#include "weft/actor/runtime/runtime_inline.hpp"

namespace weft::actor {
namespace {

Runtime& runtime_of(const Context& context) { return context.system().runtime(); }
const ChildOptions& options_of(const Address& child) { return Cell::of(child)->side->spec->options; }

}  // namespace

Reserved::~Reserved() {
  if (runtime_) runtime_->abandon(child_);
}

ChildSpec supervisor(ChildOptions options, SupervisorOptions supervision, std::vector<ChildSpec> children) {
  options.mailbox.capacity = 0;  // reports of its children must always fit
  return child<SupervisorActor>(std::move(options), std::move(supervision), std::move(children));
}

SupervisorActor::SupervisorActor(const SupervisorOptions& options, const std::vector<ChildSpec>& children)
    : specs_(children), core_(options) {}

void SupervisorActor::pre_start(Context& context) {
  for (ChildSpec& spec : specs_) {
    auto reserved = runtime_of(context).reserve(std::move(spec), context.self());
    if (!reserved) throw std::runtime_error(reserved.error().message);
    adopt(*reserved, context);
  }
  specs_.clear();
}

bool SupervisorActor::hold_stop(Context& context) {
  const auto actions = core_.stop_all();
  if (actions.size() == 1 && actions.front().kind == Supervision::Action::Kind::finished) return false;
  carry_out(actions, context);
  return !finished_;  // children that wait for their restart are down at once
}

void SupervisorActor::on(Adopt adopted, Context& context) { adopt(adopted.child.take(), context); }

void SupervisorActor::adopt(const Address& child, Context& context) {
  const std::uint64_t number = child.id();
  children_.emplace(number, Child{Reserved(runtime_of(context), child), child, 0, 0, 0, 0, false, false});
  const ChildOptions& options = runtime_of(context).adopt(*Cell::of(child), context.self());
  carry_out(core_.add(number, {options.restart, options.significant}), context);
}

SupervisorActor::Child* SupervisorActor::find(std::uint64_t number, std::uint64_t incarnation) {
  const auto found = children_.find(number);
  return found == children_.end() || found->second.incarnation != incarnation ? nullptr : &found->second;
}

void SupervisorActor::carry_out(const Supervision::Actions& actions, Context& context) {
  using Kind = Supervision::Action::Kind;
  for (const auto& action : actions) {
    switch (action.kind) {
      case Kind::start:
        start(action.child, action.delay, context);
        break;
      case Kind::stop:
        stop(action.child, context);
        break;
      case Kind::gave_up:
        gave_up(action.child, context);
        break;
      case Kind::removed:
        removed(action.child, context);
        break;
      case Kind::finished:
        finished_ = true;
        runtime_of(context).resume_stop(context.self());
        break;
      case Kind::fail:
        runtime_of(context).stop_after(*Cell::of(context.self()), Reason::error,
                                       "restart limit reached: " + last_failure_);
        break;
    }
  }
}

void SupervisorActor::start(std::uint64_t number, Duration delay, Context& context) {
  Child& child = children_.at(number);
  ++child.incarnation;
  child.unhealthy = 0;
  if (delay > Duration::zero()) {
    child.start_timer = context.send_after(delay, StartDue{number, child.incarnation});
  } else {
    on(StartDue{number, child.incarnation}, context);
  }
}

void SupervisorActor::on(StartDue due, Context& context) {
  Child* child = find(due.child, due.incarnation);
  if (!child) return;
  child->start_timer = 0;
  const std::uint32_t restarts = core_.restarts(due.child);
  runtime_of(context).start_child(child->address, due.incarnation, restarts);
}

void SupervisorActor::stop(std::uint64_t number, Context& context) {
  Child& child = children_.at(number);
  if (child.start_timer != 0) {
    context.cancel(std::exchange(child.start_timer, 0));
    return ended(number, Reason::shutdown, context);
  }
  const Shutdown shutdown = options_of(child.address).shutdown;
  runtime_of(context).end_child(child.address, shutdown.kind != Shutdown::Kind::immediate);
  if (shutdown.kind == Shutdown::Kind::infinite) return;
  const Duration time = shutdown.kind == Shutdown::Kind::immediate ? Duration::zero() : shutdown.time;
  child.stop_timer = context.send_after(time, StopDue{number, child.incarnation});
}

void SupervisorActor::on(StopDue due, Context& context) {
  Child* child = find(due.child, due.incarnation);
  if (!child || child->stop_timer == 0) return;
  child->stop_timer = 0;
  ++child->incarnation;  // later reports of the former incarnation are ignored
  Runtime& runtime = runtime_of(context);
  if (options_of(child->address).shutdown.kind == Shutdown::Kind::graceful) {
    runtime.tell(Level::error, Family::supervision, "stuck", child->address,
                 {{"what", "it did not stop within " + to_text(options_of(child->address).shutdown.time)}});
  }
  runtime.orphan(child->address);
  ended(due.child, Reason::killed, context);
}

void SupervisorActor::on(ChildStarted started, Context& context) {
  Child* child = find(started.child, started.incarnation);
  if (!child) return;
  Runtime& runtime = runtime_of(context);
  runtime.bring_home(child->address, context.self());
  const std::uint32_t restarts = core_.restarts(started.child);
  if (restarts > 0) {
    runtime.count(Counters::restarted);
    runtime.tell(Level::info, Family::supervision, "restarted", child->address,
                 {{"restarts", std::to_string(restarts)}});
  }
  const HealthOptions& health = options_of(child->address).health;
  if (health.interval > Duration::zero() && Cell::of(child->address)->type->checks_health) {
    context.send_after(health.interval, CheckHealth{started.child, started.incarnation});
  }
  carry_out(core_.started(started.child), context);
}

void SupervisorActor::on(ChildEnded end, Context& context) {
  Child* child = find(end.child, end.incarnation);
  if (!child) return;
  if (child->stop_timer != 0) context.cancel(std::exchange(child->stop_timer, 0));
  if (!end.what.empty()) last_failure_ = runtime_of(context).name_of(child->address) + ": " + end.what;
  ended(end.child, end.reason, context);
}

void SupervisorActor::ended(std::uint64_t number, Reason reason, Context& context) {
  if (const auto found = children_.find(number); found != children_.end()) {
    const Restart restart = options_of(found->second.address).restart;
    const bool over = reason == Reason::normal && restart == Restart::transient && !found->second.restarting;
    if (over) close(found->second, State::stopped, context);
    found->second.restarting = false;
  }
  carry_out(core_.ended(number, reason, context.now()), context);
}

void SupervisorActor::on(RemoveChild remove, Context& context) { carry_out(core_.remove(remove.child), context); }

void SupervisorActor::gave_up(std::uint64_t number, Context& context) {
  Child& child = children_.at(number);
  Runtime& runtime = runtime_of(context);
  runtime.count(Counters::gave_up);
  runtime.tell(Level::critical, Family::supervision, "gave_up", child.address,
               {{"restarts", std::to_string(core_.restarts(number))}, {"what", last_failure_}});
  close(child, State::failed, context);
}

void SupervisorActor::close(Child& child, State as, Context& context) {
  if (!std::exchange(child.closed, true)) runtime_of(context).close_child(child.address, as);
}

void SupervisorActor::removed(std::uint64_t number, Context& context) {
  const auto found = children_.find(number);
  if (found == children_.end()) return;
  close(found->second, State::stopped, context);
  runtime_of(context).forget(*Cell::of(found->second.owner.take()));
  children_.erase(found);
}

Task<void> SupervisorActor::on(CheckHealth check, Context& context) {
  const Child* child = find(check.child, check.incarnation);
  if (!child) co_return;
  const HealthOptions health = options_of(child->address).health;
  HealthCheck question;
  auto answer = co_await context.request<Health>(child->address, question, health.timeout);
  Child* still = find(check.child, check.incarnation);
  if (!still) co_return;
  const bool failed = !answer || *answer == Health::failed;
  if (answer && *answer == Health::healthy) still->unhealthy = 0;
  if (failed) ++still->unhealthy;
  if (failed && still->unhealthy >= health.threshold) {
    still->unhealthy = 0;
    still->restarting = true;
    runtime_of(context).tell(Level::error, Family::supervision, "unhealthy", still->address,
                             {{"what", answer ? std::string("its check failed") : answer.error().message}});
    carry_out(core_.restart(check.child), context);
    co_return;
  }
  context.send_after(health.interval, check);
}

}  // namespace weft::actor
