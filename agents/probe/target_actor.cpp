// A permit, the check, a word to the board.
#include "agents/probe/target_actor.hpp"

#include <stdexcept>

namespace weft::probe {

namespace {
const Target& target_of(const Plan& plan, std::uint32_t index) { return plan.targets->at(index); }
}  // namespace

TargetActor::TargetActor(std::shared_ptr<const Plan> plan, std::uint32_t index)
    : plan_(std::move(plan)),
      standing_(target_of(*plan_, index).rise, target_of(*plan_, index).fall),
      pace_(target_of(*plan_, index).period, plan_->seed + index),
      index_(index) {}

void TargetActor::pre_start(actor::Context& context) { context.send_after(pace_.first(), Check()); }

// While it waits for its permit a target holds a small frame only: thousands may wait.
Task<void> TargetActor::on(Check, actor::Context& context) {
  auto permit = co_await context.request(plan_->gate, Gate::Acquire(), Duration());
  co_await check_on_time(std::move(permit), context);
}

Task<Result<Finding>> TargetActor::on(CheckNow, actor::Context& context) {
  auto permit = co_await context.request(plan_->gate, Gate::Acquire(), Duration());
  co_return co_await check(std::move(permit), context);
}

Task<void> TargetActor::check_on_time(Result<Permit> permit, actor::Context& context) {
  const TimePoint began = context.now();
  auto finding = co_await check(std::move(permit), context);
  if (!finding) throw std::runtime_error(finding.error().describe());
  context.send_after(pace_.next(context.now() - began), Check());
}

Task<Result<Finding>> TargetActor::check(Result<Permit> permit, actor::Context& context) {
  if (!permit) throw std::runtime_error(permit.error().describe());
  const TimePoint began = context.now();
  Board::Seen seen;
  seen.target = index_;
  std::exception_ptr thrown;
  try {
    std::shared_ptr<const Target> target(plan_->targets, &target_of(*plan_, index_));
    auto came = co_await plan_->check(std::move(target));
    seen.good = came.has_value();
    if (!came) seen.error = std::move(came.error().message);
    (void)standing_.take(seen.good);
    seen.state = standing_.state();
  } catch (const std::exception& failure) {
    seen.error = failure.what();
    thrown = std::current_exception();
  }
  permit->give_back();
  seen.took = context.now() - began;
  if (thrown) {  // the board does not know how it stands then; the rest is for the supervisor
    (void)context.send(plan_->board, std::move(seen));
    std::rethrow_exception(thrown);
  }
  co_return co_await context.request(plan_->board, std::move(seen), Duration());
}

}  // namespace weft::probe
