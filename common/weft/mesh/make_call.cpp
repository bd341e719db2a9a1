#include "weft/mesh/make_call.hpp"

#include <algorithm>

#include "weft/calls/pending_call.hpp"
#include "weft/mesh/hedge.hpp"

namespace weft::mesh {
namespace {

/// The attempts of one call. All but the tools is the frame's own.
Task<Result<Payload>> attempts(CallTools tools, std::shared_ptr<TargetState> to, Payload payload, CallOptions options,
                               std::shared_ptr<AttemptedInstances> attempted) {
  Route route(std::move(to));
  if (attempted) route.attempted = attempted.get();
  const std::string_view target = route.target->name;
  const TimePoint begin = tools.loop.turn_time();
  calls::CallStart start;
  auto begun = calls::start_call(start, target, options, begin, route.policy().timeout);
  const bool keep = !options.once && route.policy().retry.max_attempts > 1 &&
                    payload.bytes.size() <= route.policy().retry.payload_max;
  wire::Header& header = start.header;
  const auto parent = header.trace.span_id;
  for (unsigned number = 1;; ++number) {
    Outgoing outgoing{.target = target,
                      .target_id = route.target->id,
                      .endpoint = {},
                      .options = options,
                      .header = header,
                      .attempt = number,
                      .begin = number == 1 ? begin : tools.loop.now(),
                      .deadline = start.deadline,
                      .keep_payload = keep};
    const Duration attempt_timeout = route.policy().retry.attempt_timeout;  // may be another one than before
    if (!options.once && attempt_timeout > Duration::zero())
      outgoing.deadline = std::min(outgoing.deadline, outgoing.begin + attempt_timeout);
    Result<Destination*> destination = nullptr;
    if (!begun) [[unlikely]] {
      destination = std::move(begun.error());  // is told and counted as one that found nobody
    } else if (auto candidate = tools.steering.select(route, options)) {
      outgoing.instance = (*candidate)->record.get();
      outgoing.endpoint = (*candidate)->to->endpoint;
      destination = (*candidate)->to.get();
    } else {
      destination = std::move(candidate.error());
    }
    outgoing.why_chosen = route.why;
    outgoing.candidates = route.candidates;
    calls::Attempt attempt(tools.caller, std::move(destination), outgoing, payload);
    Result<Payload> outcome = co_await attempt;
    tools.steering.ended(route, outgoing, outcome);
    if (!outgoing.retry_after || tools.loop.now() + *outgoing.retry_after >= start.deadline) co_return outcome;
    if (*outgoing.retry_after > Duration::zero()) co_await sleep_for(tools.loop, *outgoing.retry_after);
    header.id = 0;  // not sent yet; the next attempt belongs to the same trace, under the same parent
    header.trace.span_id = parent;
  }
}

}  // namespace

Task<Result<Payload>> make_call(CallTools tools, std::shared_ptr<TargetState> target, Payload&& payload,
                                CallOptions&& options) {
  const Duration late = options.hedge_after.value_or(target->policy->policy.hedge.after);
  if (late <= Duration::zero() || options.once || !options.instance.empty())
    return attempts(tools, std::move(target), std::move(payload), std::move(options), nullptr);
  auto attempted = std::make_shared<AttemptedInstances>();
  return hedged(
      tools.loop, late, [=] { return attempts(tools, target, payload, options, attempted); },
      [=] { return tools.steering.may_hedge(*target); });
}

Task<Result<Payload>> failed_call(Error error) { co_return error; }

}  // namespace weft::mesh
