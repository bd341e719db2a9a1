// `load`: calls another agent at a steady rate, whatever it answers, and tells how that went.
#include "agents/echo/echo.hpp"
#include "weft/base/pacer.hpp"
#include "weft/base/target.hpp"

namespace weft::echo {

namespace {
constexpr double kSecondsMax = 3600;

struct Run {
  LoadReply reply;
  Latencies latencies;
  std::int64_t in_flight = 0;
};

Task<void> call_once(Agent& agent, Run& run, const LoadRequest& request, const Payload& payload, CallOptions options) {
  const auto started = agent.loop().now();
  ++run.in_flight;
  auto answer = co_await agent.call<Payload>(request.target, payload, options);
  --run.in_flight;
  if (answer) {
    ++run.reply.ok;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(agent.loop().now() - started);
    run.latencies.add(static_cast<std::uint64_t>(took.count()));
  } else {
    ++run.reply.failed;
    ++run.reply.errors[run.reply.errors.size() < 100 ? answer.error().code : "_overflow"];
  }
}

Result<void> check(const LoadRequest& request, const Settings& settings, const Call& call, TimePoint now) {
  const auto bad = [](const std::string& what) { return Error(codes::bad_payload, "echo.load: " + what); };
  if (!split_target(request.target).complete())
    return bad("'target' must be agent.method, got '" + request.target + "'");
  if (!(request.rate > 0) || request.rate > static_cast<double>(settings.rate_max))
    return bad("'rate' must be over 0 and at most " + std::to_string(settings.rate_max));
  if (!(request.seconds > 0) || request.seconds > kSecondsMax) return bad("'seconds' must be over 0 and at most 3600");
  if (request.timeout_ms < 1 || request.timeout_ms > 3'600'000) return bad("'timeout_ms' must be 1 to 3600000");
  if (request.in_flight_max < 1 || request.in_flight_max > 1'000'000)
    return bad("'in_flight_max' must be 1 to 1000000");
  if (call.has_deadline() && to_seconds(call.deadline() - now) < request.seconds)
    return bad("the call must be allowed to take longer than the " + std::to_string(request.seconds) + " s of load");
  return {};
}
}  // namespace

Task<Result<LoadReply>> Echo::load(LoadRequest request, Call& call) {
  const auto started = agent_.loop().now();
  if (auto fine = check(request, settings_, call, started); !fine) co_return fine.error();
  const auto payload = Payload::of(request.payload);
  CallOptions options;
  options.timeout = std::chrono::milliseconds(request.timeout_ms);
  options.host = request.host;
  Run run;
  TaskScope scope;  // goes first, so that no call outlives what it writes to
  Pacer pacer(request.rate, static_cast<std::uint64_t>(request.rate * request.seconds + 0.5), started);
  while (!pacer.finished() && !call.cancelled()) {
    for (auto due = pacer.due(agent_.loop().now(), kPerTurn); due > 0; --due) {
      if (run.in_flight >= request.in_flight_max) {
        ++run.reply.held_back;
        continue;
      }
      ++run.reply.sent;
      scope.spawn(call_once(agent_, run, request, payload, options));
    }
    co_await agent_.sleep(1ms);
  }
  while (run.in_flight > 0 && !call.cancelled()) co_await agent_.sleep(1ms);
  run.reply.p50_us = run.latencies.quantile(0.50);
  run.reply.p99_us = run.latencies.quantile(0.99);
  run.reply.max_us = run.latencies.max();
  run.reply.seconds = to_seconds(agent_.loop().now() - started);
  co_return run.reply;
}

}  // namespace weft::echo
