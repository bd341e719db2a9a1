// The methods of echo, but for `load`.
#include "agents/echo/echo.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "weft/base/pacer.hpp"
#include "weft/base/request.hpp"

namespace weft::echo {

namespace {
constexpr std::int64_t kCountMax = 100'000'000;
constexpr std::int64_t kDelayMaxMs = 3'600'000;

/// A handler that is told its request's mistakes, and takes nothing at all for the defaults.
template <class Request, class Work>
auto told(Work work) {
  return [work = std::move(work)](Value value, Call& call) -> std::invoke_result_t<const Work&, Request, Call&> {
    auto request = request_of<Request>(value);
    if (!request) co_return request.error();
    co_return co_await work(std::move(*request), call);
  };
}
}  // namespace

Echo::Echo(Settings settings, Agent& agent) : settings_(settings), agent_(agent) {
  agent_.publishes("echo." + agent_.host() + ".burst");
  serve_answers();
  serve_floods();
  serve_hearing();
  serve_streams();
  serve_crashes();
  serve_health();
}

void Echo::serve_answers() {
  agent_.serve(
      "echo", [](Payload payload, Call&) -> Task<Result<Payload>> { co_return payload; },
      "answers what it was sent, unchanged");
  agent_.serve("delay", told<DelayRequest>([this](DelayRequest request, Call&) { return delay(request); }),
               "{ms}: answers after that time");
  agent_.serve("size", told<SizeRequest>([this](SizeRequest request, Call&) { return size(request); }),
               "{bytes}: answers with so many bytes");
  agent_.serve(
      "left",
      [this](Value, Call& call) -> Task<Result<Left>> {
        Left left;
        if (call.has_deadline()) left.left_ms = to_seconds(call.remaining(agent_.loop().now())) * 1000;
        co_return left;
      },
      "how much of its caller's budget is left, in milliseconds");
  agent_.serve("fail", told<FailRequest>([this](FailRequest request, Call&) { return fail(std::move(request)); }),
               "{kind, code, message}: answers with that error");
  agent_.serve("relay",
               told<RelayRequest>([this](RelayRequest request, Call& call) { return relay(std::move(request), call); }),
               "{target, payload, host, by_actor}: calls that, on behalf of its caller, and answers what it answers");
  agent_.serve("throw", told<ThrowRequest>([](ThrowRequest request, Call&) -> Task<Result<Value>> {
                 throw std::runtime_error(request.message);
                 co_return Value();
               }),
               "{message}: throws an exception in the handler");
}

void Echo::serve_hearing() {
  if (!settings_.hear.empty()) {
    agent_.subscribe(settings_.hear, [this](const Payload&, const Event& event) {
      ++heard_.count;
      heard_.missed += event.missed;
      if (settings_.hear_time > Duration::zero()) std::this_thread::sleep_for(settings_.hear_time);  // as busy as that
    });
  }
  agent_.serve(
      "heard", [this](Value, Call&) -> Task<Result<Heard>> { co_return heard_; }, "how many events of `hear` came");
}

void Echo::serve_floods() {
  agent_.serve("burst", told<BurstRequest>([this](BurstRequest request, Call& call) { return burst(request, call); }),
               "{count, size, rate}: publishes events on echo.<host>.burst");
  agent_.serve("report", told<ReportRequest>([this](ReportRequest request, Call& call) {
                 return report(std::move(request), call);
               }),
               "{count, first, rate, run, background}: reports numbered errors to the error bus");
  agent_.serve("load",
               told<LoadRequest>([this](LoadRequest request, Call& call) { return load(std::move(request), call); }),
               "{target, rate, seconds, timeout_ms, payload}: calls another agent at a steady rate");
}

void Echo::serve_crashes() {
  actor::ChildOptions options;
  options.name = "fragile";
  auto started = agent_.actors().start<Fragile>({}, options);
  if (!started) throw std::runtime_error(started.error().message);
  fragile_ = *started;
  auto messenger = agent_.actors().spawn<Messenger>(agent_);
  if (!messenger) throw std::runtime_error(messenger.error().message);
  messenger_ = *messenger;
  agent_.serve("crash", told<CrashRequest>([this](CrashRequest request, Call&) -> Task<Result<CrashRequest>> {
                 if (request.times < 1 || request.times > 1000) co_return bad("'times' must be 1 to 1000");
                 for (std::int64_t i = 0; i < request.times; ++i) {
                   if (auto sent = agent_.actors().send(fragile_, Fragile::Crash{request.message}); !sent)
                     co_return sent.error();
                 }
                 co_return request;
               }),
               "{times, message}: throws so many exceptions in a supervised actor of its own");
}

void Echo::serve_health() {
  agent_.serve("health", told<HealthRequest>([this](HealthRequest request, Call&) -> Task<Result<HealthRequest>> {
                 const std::vector<std::string_view> states{"pass", "warn", "critical"};
                 const auto at = std::find(states.begin(), states.end(), request.state);
                 if (at == states.end())
                   co_return bad("no health '" + request.state + "': wanted pass, warn or critical");
                 agent_.health(static_cast<Health::Status>(at - states.begin()), request.text);
                 co_return request;
               }),
               "{state, text}: says that this is its health");
  if (settings_.check_file.empty()) return;
  agent_.check("file", settings_.check_interval, [this]() -> CheckResult {
    if (std::filesystem::exists(settings_.check_file)) return {};
    return {Health::critical, settings_.check_file + " is missing"};
  });
}

Task<Result<DelayRequest>> Echo::delay(DelayRequest request) {
  if (request.ms < 0 || request.ms > kDelayMaxMs) co_return bad("'ms' must be 0 to " + std::to_string(kDelayMaxMs));
  co_await agent_.sleep(std::chrono::milliseconds(request.ms));
  co_return request;
}

Task<Result<Payload>> Echo::size(SizeRequest request) {
  if (request.bytes < 0 || request.bytes > settings_.size_max_bytes)
    co_return bad("'bytes' must be 0 to " + std::to_string(settings_.size_max_bytes));
  co_return Payload::raw(std::string(static_cast<std::size_t>(request.bytes), 'x'));
}

Task<Result<Value>> Echo::fail(FailRequest request) {
  const auto kind = error_kind_from(request.kind);
  if (to_string(kind) != request.kind) {
    co_return bad("no error kind '" + request.kind +
                  "': wanted invalid, not_found, duplicate, denied, overloaded, "
                  "unavailable, timeout, cancelled, disconnected or internal");
  }
  co_return Error(kind, std::move(request.code), std::move(request.message));
}

Task<Result<Payload>> Messenger::on(RelayRequest request) {
  CallOptions options;
  options.host = request.host;
  auto answer = co_await agent_.call<Payload>(request.target, std::move(request.payload), options);
  agent_.log().info("an actor has called", {{"target", request.target}, {"ok", answer.has_value()}});
  co_return answer;
}

Task<Result<Payload>> Echo::relay(RelayRequest request, Call& call) {
  if (request.by_actor) {
    const Duration left = std::min<Duration>(call.remaining(agent_.loop().now()), 1h);
    co_return co_await agent_.ask(messenger_, std::move(request), left);
  }
  CallOptions options(call);
  options.host = request.host;
  co_return co_await agent_.call<Payload>(std::move(request.target), std::move(request.payload), options);
}

Result<void> Echo::check_rate(double rate, std::int64_t count) const {
  if (!(rate >= 0) || rate > static_cast<double>(settings_.rate_max))
    return bad("'rate' must be 0 to " + std::to_string(settings_.rate_max));
  if (count < 0 || count > kCountMax) return bad("'count' must be 0 to " + std::to_string(kCountMax));
  return {};
}

Task<Result<Done>> Echo::burst(BurstRequest request, const Call& call) {
  if (auto fine = check_rate(request.rate, request.count); !fine) co_return fine.error();
  if (request.size < 0 || request.size > settings_.size_max_bytes)
    co_return bad("'size' must be 0 to " + std::to_string(settings_.size_max_bytes));
  const std::string topic = "echo." + agent_.host() + ".burst";
  BurstEvent event{0, static_cast<std::uint64_t>(request.count),
                   std::string(static_cast<std::size_t>(request.size), 'x')};
  const auto started = agent_.loop().now();
  Pacer pacer(request.rate, event.of, started);
  PublishOptions options;
  options.trace = call.trace();
  while (!pacer.finished() && !call.cancelled()) {
    for (auto due = pacer.due(agent_.loop().now(), kPerTurn); due > 0; --due) {
      ++event.number;
      if (auto sent = agent_.publish(topic, event, options); !sent) co_return sent.error();
    }
    co_await agent_.sleep(request.rate > 0 ? Duration(1ms) : Duration());
  }
  co_return Done{event.number, to_seconds(agent_.loop().now() - started)};
}

Task<Result<Done>> Echo::report(ReportRequest request, const Call& call) {
  if (auto fine = check_rate(request.rate, request.count); !fine) co_return fine.error();
  if (request.code.empty()) co_return bad("'code' is empty");
  if (!request.background) co_return co_await report_all(std::move(request), &call);
  agent_.spawn([](Echo& self, ReportRequest wanted) -> Task<void> {
    co_await self.report_all(std::move(wanted), nullptr);
  }(*this, std::move(request)));
  co_return Done{};
}

Task<Done> Echo::report_all(ReportRequest request, const Call* call) {
  const auto started = agent_.loop().now();
  Pacer pacer(request.rate, static_cast<std::uint64_t>(request.count), started);
  std::int64_t number = request.first;
  while (!pacer.finished() && !(call && call->cancelled())) {
    for (auto due = pacer.due(agent_.loop().now(), kPerTurn); due > 0; --due, ++number) {
      agent_.report(request.severity, request.code, "error number {number} of run '{run}', as wanted",
                    {{"number", number}, {"run", request.run}}, "test");
    }
    co_await agent_.sleep(request.rate > 0 ? Duration(1ms) : Duration());
  }
  co_return Done{pacer.done(), to_seconds(agent_.loop().now() - started)};
}

}  // namespace weft::echo
