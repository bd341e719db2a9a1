#include "weft/mesh/attempts.hpp"

#include <algorithm>

#include "weft/mesh/hedge.hpp"

namespace weft::mesh {
namespace {

/// The attempts of one call. All but the tools is the frame's own.
Task<Result<Payload>> attempts(CallTools tools, std::shared_ptr<Target> to, Payload payload, CallOptions options,
                               std::shared_ptr<Tried> tried) {
  Course course(std::move(to));
  if (tried) course.tried = tried.get();
  const std::string_view target = course.target->name;
  const Policy& policy = course.policy();
  const TimePoint begin = tools.loop.turn_time();
  auto start = start_call(target, options, begin, policy.timeout);
  if (!start) co_return start.error();
  const bool keep = policy.retry.max_attempts > 1 && payload.bytes.size() <= policy.retry.payload_max;
  for (unsigned number = 1;; ++number) {
    wire::Header header = start->header;
    Outgoing outgoing{.target = target,
                      .target_id = tools.calls.target_id(target),
                      .endpoint = {},
                      .options = options,
                      .header = header,
                      .attempt = number,
                      .begin = number == 1 ? begin : tools.loop.now(),
                      .deadline = start->deadline,
                      .keep_payload = keep,
                      .course = &course};
    if (policy.retry.attempt_timeout > Duration::zero())
      outgoing.deadline = std::min(outgoing.deadline, outgoing.begin + policy.retry.attempt_timeout);
    auto route = tools.steering.route(course, options);
    outgoing.instance = route.record.get();
    if (route.to) outgoing.endpoint = route.to->endpoint;
    Attempt attempt(tools.calls, std::move(route.to), outgoing, payload, std::move(route.nobody));
    Result<Payload> outcome = co_await attempt;
    start->header.trace.trace_id = header.trace.trace_id;  // the next attempt belongs to the same trace
    start->header.trace.flags = header.trace.flags;
    if (!outgoing.retry_after || tools.loop.now() + *outgoing.retry_after >= start->deadline) co_return outcome;
    if (*outgoing.retry_after > Duration::zero()) co_await sleep_for(tools.loop, *outgoing.retry_after);
  }
}

}  // namespace

Task<Result<Payload>> make_call(CallTools tools, std::shared_ptr<Target> target, Payload payload, CallOptions options) {
  const Duration late = options.hedge_after.value_or(target->policy->policy.hedge.after);
  if (late <= Duration::zero() || !options.instance.empty())
    return attempts(tools, std::move(target), std::move(payload), std::move(options), nullptr);
  auto tried = std::make_shared<Tried>();
  return hedged(
      tools.loop, late, [=] { return attempts(tools, target, payload, options, tried); },
      [=] { return tools.steering.may_hedge(*target); });
}

Task<Result<Payload>> failed_call(Error error) { co_return error; }

}  // namespace weft::mesh
