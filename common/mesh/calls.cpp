#include "weft/mesh/calls.hpp"

#include <algorithm>

namespace weft::mesh {
namespace {
constexpr Duration kIdle = 60s;         // a link unused for this long is closed
constexpr std::size_t kStatsMax = 500;  // methods counted by name; more share the overflow series
const std::string kOverflow = "_overflow";
constexpr std::string_view kCalls = "weft_calls_total", kCallsHelp = "Calls made, by target and outcome";
}  // namespace

/// Takes its call back when the waiting coroutine is destroyed.
struct Calls::Waiting {
  Calls& calls;
  std::uint64_t id;
  std::weak_ptr<int> alive;
  ~Waiting() {
    if (alive.lock()) calls.give_up(id);
  }
};

Calls::Calls(Loop& loop, net::Context& context, const PeerOptions& options, net::Limits limits, net::Traffic& traffic,
             observe::Metrics& metrics)
    : loop_(loop),
      context_(context),
      options_(options),
      limits_(limits),
      traffic_(traffic),
      metrics_(metrics),
      idle_(loop) {}

Calls::~Calls() {
  for (auto& [id, pending] : pending_) loop_.cancel(pending.timer);
}

std::shared_ptr<Calls::LinkState> Calls::link_to(const std::string& endpoint) {
  auto& state = links_[endpoint];
  if (!state) {
    state = std::make_shared<LinkState>();
    state->link = std::make_unique<net::Link>(loop_, context_, endpoint, limits_, traffic_,
                                              [this](const wire::EnvelopeView& envelope) { take(envelope); });
    state->link->on_lost([this, endpoint, weak = std::weak_ptr<LinkState>(state)] {
      if (auto lost = weak.lock())
        fail_all(lost, Error(codes::peer_gone, "the connection to " + endpoint + " was lost"));
    });
    if (!idle_.running()) idle_.start(kIdle, [this] { close_idle(); });
  }
  state->last_used = loop_.now();
  return state;
}

wire::Header Calls::header_for(const CallOptions& options, Duration budget) const {
  wire::Header header;
  header.kind = wire::Kind::request;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(budget).count();
  header.deadline_us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, 0xffff'ffff));
  header.sender = options_.instance.short_id();
  header.epoch = static_cast<std::uint32_t>(epoch_);
  if (options.within) {
    header.depth = static_cast<std::uint8_t>(std::min(options.within->depth() + 1, 255));
    header.trace = options.within->trace();
  }
  return header;
}

Task<Result<Payload>> Calls::call(std::string endpoint, std::string method, Payload payload, CallOptions options) {
  const TimePoint begin = loop_.now();
  Duration budget = options.timeout;
  if (options.within && options.within->has_deadline()) budget = std::min(budget, options.within->deadline() - begin);
  if (budget <= Duration::zero()) co_return Error(codes::deadline_exceeded, method + ": no time was left to call it");
  if (method.size() > wire::kNameMax)
    co_return Error(codes::bad_name, "a method name of " + std::to_string(method.size()) + " bytes");
  if (pending_.size() >= options_.limits.pending_max) {
    co_return Error(codes::queue_full,
                    std::to_string(pending_.size()) + " calls wait for answers (limits.pending_max)");
  }
  auto link = link_to(endpoint);
  wire::Header header = header_for(options, budget);
  header.id = ++last_id_;
  header.encoding = payload.encoding;
  if (auto sent = link->link->send(header, method, std::move(payload.bytes)); !sent) co_return sent.error();

  Completion<Result<Payload>> completion;
  Pending& pending = pending_[header.id];
  pending.completer = completion.completer();
  pending.link = link;
  pending.timer = loop_.at(begin + budget, [this, id = header.id, method, endpoint, budget] {
    pending_[id].timer = 0;
    give_up_with(
        id, Error(codes::deadline_exceeded, method + " at " + endpoint + " did not answer within " + to_text(budget)));
  });
  ++link->in_flight;
  Waiting waiting{*this, header.id, life_};
  Result<Payload> outcome = co_await completion;
  count(method, outcome, loop_.now() - begin);
  co_return outcome;
}

void Calls::take(const wire::EnvelopeView& envelope) {
  if (envelope.header.kind == wire::Kind::reply) {
    finish(envelope.header.id,
           Payload(envelope.header.encoding, Bytes(envelope.payload.begin(), envelope.payload.end())));
  } else if (envelope.header.kind == wire::Kind::error) {
    finish(envelope.header.id, wire::decode_error(envelope));
  }
}

void Calls::finish(std::uint64_t id, Result<Payload> outcome) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;  // late: given up, or answered twice
  Pending pending = std::move(found->second);
  pending_.erase(found);
  --pending.link->in_flight;
  loop_.cancel(pending.timer);
  pending.completer.complete(std::move(outcome));
}

void Calls::give_up_with(std::uint64_t id, Error error) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  tell_cancelled(found->second, id);
  finish(id, std::move(error));
}

void Calls::give_up(std::uint64_t id) noexcept {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  tell_cancelled(found->second, id);
  --found->second.link->in_flight;
  loop_.cancel(found->second.timer);
  pending_.erase(found);
}

void Calls::tell_cancelled(const Pending& pending, std::uint64_t id) noexcept {
  wire::Header header;
  header.kind = wire::Kind::cancel;
  header.id = id;
  header.sender = options_.instance.short_id();
  (void)pending.link->link->send(header, {}, {});  // best effort: the callee only saves work by it
}

void Calls::fail_all(const std::shared_ptr<LinkState>& link, const Error& error) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, pending] : pending_) {
    if (pending.link == link) ids.push_back(id);
  }
  for (const auto id : ids) finish(id, error);
}

void Calls::drop(const std::string& endpoint, std::string_view why) {
  const auto found = links_.find(endpoint);
  if (found == links_.end()) return;
  auto dropped = found->second;
  links_.erase(found);
  fail_all(dropped, Error(codes::peer_gone, "the process at " + endpoint + " is gone: " + std::string(why)));
  loop_.post([dropped = std::move(dropped)] {});  // its own handler may be running: destroyed in a later turn
}

void Calls::close_idle() {
  for (auto at = links_.begin(); at != links_.end();) {
    const auto& state = *at->second;
    at = state.in_flight == 0 && loop_.now() - state.last_used >= kIdle ? links_.erase(at) : std::next(at);
  }
  if (!links_.empty()) idle_.start(kIdle, [this] { close_idle(); });
}

std::size_t Calls::in_flight_to(const std::string& endpoint) const noexcept {
  const auto found = links_.find(endpoint);
  return found == links_.end() ? 0 : found->second->in_flight;
}

void Calls::flush() {
  for (auto& [endpoint, state] : links_) state->link->flush();
}

Calls::Stats& Calls::stats_of(const std::string& method) {
  auto found = stats_.find(method);
  if (found == stats_.end() && stats_.size() > kStatsMax) found = stats_.find(kOverflow);
  if (found != stats_.end()) return found->second;
  const std::string& label = stats_.size() < kStatsMax ? method : kOverflow;
  return stats_
      .emplace(label,
               Stats{label, &metrics_.counter(kCalls, kCallsHelp, {{"target", label}, {"code", "ok"}}),
                     &metrics_.histogram("weft_call_duration_seconds", "Time from a call to its answer, by target",
                                         observe::latency_bounds(), {{"target", label}})})
      .first->second;
}

void Calls::count(const std::string& method, const Result<Payload>& outcome, Duration took) {
  Stats& stats = stats_of(method);
  stats.duration->observe(to_seconds(took));
  if (outcome) return stats.ok->add();
  metrics_.counter(kCalls, kCallsHelp, {{"target", stats.label}, {"code", outcome.error().code}}).add();
}

}  // namespace weft::mesh
