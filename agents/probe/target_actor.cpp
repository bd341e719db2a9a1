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

Task<void> TargetActor::on(Check, actor::Context& context) {
  auto finding = co_await check(context);
  if (!finding) throw std::runtime_error(finding.error().describe());
  context.send_after(pace_.next(context.now() - started_), Check());
}

Task<Result<Finding>> TargetActor::on(CheckNow, actor::Context& context) { return check(context); }

Task<Result<Finding>> TargetActor::check(actor::Context& context) {
  Board::Seen seen;
  seen.target = index_;
  std::exception_ptr thrown;
  try {
    auto came = co_await outcome(context);
    seen.good = came.has_value();
    if (!came) seen.error = std::move(came.error().message);
    (void)standing_.take(seen.good);
    seen.state = standing_.state();
  } catch (const std::exception& failure) {
    seen.error = failure.what();
    thrown = std::current_exception();
  }
  seen.took = context.now() - started_;
  if (thrown) {  // the board does not know how it stands then; the rest is for the supervisor
    (void)context.send(plan_->board, std::move(seen));
    std::rethrow_exception(thrown);
  }
  co_return co_await context.request(plan_->board, std::move(seen), Duration());
}

Task<Result<void>> TargetActor::outcome(actor::Context& context) {
  started_ = context.now();
  auto permit = co_await context.request(plan_->gate, Gate::Acquire(), Duration());
  if (!permit) throw std::runtime_error(permit.error().describe());
  started_ = context.now();
  std::shared_ptr<const Target> target(plan_->targets, &target_of(*plan_, index_));
  co_return co_await plan_->check(std::move(target));
}

}  // namespace weft::probe
