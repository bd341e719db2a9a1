#include "weft/calls/caller.hpp"
#include "weft/calls/pending_call.hpp"

#include <algorithm>

namespace weft::calls {
namespace {
std::int64_t to_us(Duration duration) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}
constexpr Duration kIdle = 60s;  // a link unused for this long is closed
constexpr std::uint32_t kNone = 0;
constexpr std::size_t kPrefetched = 768;  // bytes of a frame
const std::string kOverflow = "_overflow";
constexpr std::string_view kCalls = "weft_calls_total", kCallsHelp = "Calls made, by target and outcome";
}  // namespace

Caller::Caller(Loop& loop, net::Context& context, const Ulid& instance, net::Limits limits, std::size_t pending_max,
               net::Traffic& traffic, observe::Metrics& metrics, Interceptors& interceptors)
    : loop_(loop),
      context_(context),
      limits_(limits),
      pending_max_(pending_max),
      traffic_(traffic),
      metrics_(metrics),
      interceptors_(interceptors),
      late_(metrics.counter("weft_late_replies_total", "Answers that came when their caller had stopped waiting")),
      sender_(instance.short_id()),
      deadlines_(loop.now()),
      alarm_(loop),
      idle_(loop) {
  interceptors_.add({.name = "metrics",
                     .after_call = [this](Outgoing& call, const Result<Payload>& outcome) { count(call, outcome); }});
}

Caller::~Caller() {
  each_waiting([](PendingCall& call) {
    call.id_ = 0;
    call.cancelled_.reset();
  });
}

template <class Visit>
void Caller::each_waiting(Visit visit) const {
  for (std::uint32_t at = 1; at < slots_made_; ++at) {
    if (PendingCall* call = slot(at).call) visit(*call);
  }
}

Task<Result<Payload>> Caller::call(std::string endpoint, std::string method, Payload payload, CallOptions options) {
  CallStart start;
  if (auto fine = start_call(start, method, options, loop_.turn_time()); !fine) co_return fine.error();
  Outgoing outgoing{.target = method,
                    .target_id = target_id(method),
                    .endpoint = endpoint,
                    .options = options,
                    .header = start.header,
                    .begin = loop_.turn_time(),
                    .deadline = start.deadline};
  const auto to = destination(endpoint);
  Attempt attempt(*this, to.get(), outgoing, payload);
  co_return co_await attempt;
}

std::shared_ptr<Destination> Caller::destination(const std::string& endpoint) {
  auto& to = destinations_[endpoint];
  if (!to) to = std::make_shared<Destination>(endpoint);
  return to;
}

net::Link& Caller::link_of(Destination& to) {
  if (!to.link) {
    to.link = std::make_unique<net::Link>(loop_, context_, to.endpoint, limits_, traffic_,
                                          [this, &to](const wire::EnvelopeView& envelope) {
                                            to.last_heard = loop_.turn_time();
                                            take(envelope);
                                          });
    to.link->on_lost([this, weak = to.weak_from_this()] {
      if (const auto lost = weak.lock())
        fail_all(*lost, Error(codes::peer_gone, "the connection to " + lost->endpoint + " was lost"));
    });
    to.link->on_refused([this, weak = to.weak_from_this()](const Error& why) {
      if (const auto refusing = weak.lock()) fail_all(*refusing, why);
    });
    if (!idle_.running()) idle_.start(kIdle, [this] { close_idle(); });
  }
  return *to.link;
}

std::uint32_t Caller::target_id(std::string_view target) {
  if (const auto found = target_ids_.find(target); found != target_ids_.end()) return found->second;
  const bool full = targets_.size() >= kTargetsMax;
  if (full && targets_.size() > kTargetsMax) return kTargetsMax;
  auto stats = std::make_unique<Stats>();
  stats->label = full ? kOverflow : std::string(target);
  stats->ok = &metrics_.counter(kCalls, kCallsHelp, {{"target", stats->label}, {"code", "ok"}});
  stats->duration = &metrics_.histogram("weft_call_duration_seconds", "Time from a call to its answer, by target",
                                        observe::latency_bounds(), {{"target", stats->label}});
  const auto id = static_cast<std::uint32_t>(targets_.size());
  targets_.push_back(std::move(stats));
  target_ids_.emplace(targets_.back()->label, id);
  return id;
}

void Caller::count(const Outgoing& call, const Result<Payload>& outcome) {
  const Stats& stats = *targets_[call.target_id];
  observe::observe_duration(*stats.duration, call.end - call.begin, call.header.trace, loop_.clock());
  ++ended_;
  if (outcome) return stats.ok->add();
  ++failed_;
  metrics_.counter(kCalls, kCallsHelp, {{"target", stats.label}, {"code", outcome.error().code}}).add();
}

// ---- calls that wait

std::uint64_t Caller::add(PendingCall& call) {
  if (free_ == kNone) {
    if (slots_made_ % kSlotsTogether == 0 || slots_.empty()) slots_.push_back(std::make_unique<Slot[]>(kSlotsTogether));
    free_ = slots_made_++;
  }
  const std::uint32_t at = free_;
  Slot& taken = slot(at);
  free_ = taken.next_free;
  taken.call = &call;
  ++pending_;
  ++call.to_->in_flight;
  return static_cast<std::uint64_t>(taken.generation) << 32 | at;
}

void Caller::remove(PendingCall& call) noexcept {
  Slot& left = slot(call.id_);
  left.call = nullptr;
  ++left.generation;
  left.next_free = std::exchange(free_, static_cast<std::uint32_t>(call.id_));
  left.unlink();
  --pending_;
  --call.to_->in_flight;
  call.cancelled_.reset();
  call.id_ = 0;
}

PendingCall* Caller::find(std::uint64_t id) noexcept {
  if (static_cast<std::uint32_t>(id) >= slots_made_ || slot(id).generation != id >> 32) return nullptr;
  return slot(id).call;
}

/// With a thousand calls under way their frames have left the cache when the answers come.
void Caller::prefetch(std::uint64_t id) const noexcept {
  if (static_cast<std::uint32_t>(id) >= slots_made_) return;
  for (const void* frame : slot(id).frames) {
    for (std::size_t at = 0; at < kPrefetched; at += 64) __builtin_prefetch(static_cast<const char*>(frame) + at);
  }
}

void Caller::take(const wire::EnvelopeView& envelope) {
  using enum wire::Kind;
  if (envelope.next_id != 0) prefetch(envelope.next_id);
  const auto kind = envelope.header.kind;
  if (PendingCall* call = find(envelope.header.id)) {
    if (kind == reply)
      return call->finish(Payload(envelope.header.encoding, Bytes(envelope.payload.begin(), envelope.payload.end())));
    if (kind == error) return call->finish(wire::decode_error(envelope));
    return call->take(envelope);
  }
  if (kind == reply || kind == error) late_.add();  // given up, or answered twice
}

void Caller::fail_all(Destination& to, const Error& error) {
  std::vector<std::uint64_t> ids;
  each_waiting([&](const PendingCall& call) {
    if (call.to_ == &to) ids.push_back(call.id_);
  });
  for (const auto id : ids) {
    if (PendingCall* call = find(id)) call->finish(error);
  }
}

void Caller::tell_cancelled(Destination& to, std::uint64_t id) noexcept {
  if (!to.link) return;
  wire::Header header;
  header.kind = wire::Kind::cancel;
  header.id = id;
  header.sender = sender_;
  (void)to.link->send(header, {}, {});  // best effort: the callee only saves work by it
}

void Caller::arm(TimePoint when) {
  if (when >= alarm_at_) return;
  alarm_at_ = when;
  alarm_.start(when - loop_.now(), [this] { ring(); });
}

void Caller::ring() {
  alarm_at_ = TimePoint::max();
  const TimePoint now = loop_.now();
  while (Deadlines::Entry* due = deadlines_.take_due(now)) {
    PendingCall& call = *static_cast<Slot*>(due)->call;
    const Outgoing& outgoing = *call.outgoing_;
    call.give_up(Error(codes::deadline_exceeded, std::string(outgoing.target) + " at " + call.to_->endpoint +
                                                     " did not answer within " +
                                                     to_text(outgoing.deadline - outgoing.begin)));
  }
  if (const auto first = deadlines_.next()) arm(*first);
}

void Caller::drop(const std::string& endpoint, std::string_view why) {
  const auto found = destinations_.find(endpoint);
  if (found == destinations_.end()) return;
  auto dropped = found->second;
  destinations_.erase(found);
  fail_all(*dropped, Error(codes::peer_gone, "the process at " + endpoint + " is gone: " + std::string(why)));
  loop_.post([link = std::move(dropped->link)] {});  // its own handler may be running: destroyed in a later turn
}

void Caller::close_idle() {
  for (auto at = destinations_.begin(); at != destinations_.end();) {
    Destination& to = *at->second;
    const bool idle = to.in_flight == 0 && loop_.now() - to.last_used >= kIdle;
    if (idle) to.link.reset();
    at = idle && at->second.use_count() == 1 ? destinations_.erase(at) : std::next(at);
  }
  const bool any = std::any_of(destinations_.begin(), destinations_.end(),
                               [](const auto& it) { return it.second->link != nullptr; });
  if (any) idle_.start(kIdle, [this] { close_idle(); });
}

std::size_t Caller::in_flight_to(const std::string& endpoint) const noexcept {
  const auto found = destinations_.find(endpoint);
  return found == destinations_.end() ? 0 : found->second->in_flight;
}

void Caller::describe(StatsReply& stats) const {
  stats.calls = ended_;
  stats.call_failures = failed_;
  stats.calls_waiting = pending_;
  for (const auto& [endpoint, to] : destinations_) {
    if (!to->link) continue;
    wire::LinkStats link;
    link.endpoint = endpoint;
    link.in_flight = to->in_flight;
    link.queued_bytes = to->link->queued();
    link.connected = to->link->connected();
    stats.links.push_back(std::move(link));
  }
}

std::vector<WaitingCall> Caller::waiting() const {
  std::vector<WaitingCall> all;
  const TimePoint now = loop_.now();
  each_waiting([&](const PendingCall& one) {
    const Outgoing& call = *one.outgoing_;
    WaitingCall waiting;
    waiting.target = call.target;
    waiting.endpoint = one.to_->endpoint;
    waiting.id = call.header.id;
    waiting.age_us = to_us(now - call.begin);
    waiting.left_us = call.deadline == TimePoint::max() ? -1 : to_us(call.deadline - now);
    if (call.options.within) waiting.on_behalf_of = call.options.within->full_name_;
    all.push_back(std::move(waiting));
  });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.age_us > b.age_us; });
  if (all.size() > wire::WaitsReply::kWaitsMax) all.resize(wire::WaitsReply::kWaitsMax);
  return all;
}

void Caller::flush() {
  for (auto& [endpoint, to] : destinations_) {
    if (to->link) to->link->flush();
  }
}

}  // namespace weft::calls
