// One attempt of a call, and what a call begins with.
#include "weft/calls/pending_call.hpp"

namespace weft::calls {
namespace {

std::uint32_t microseconds_of(TimePoint now) noexcept {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  const auto wrapped = static_cast<std::uint32_t>(us);
  return wrapped == 0 ? 1 : wrapped;  // 0 says unknown
}

std::uint32_t budget_us(TimePoint now, TimePoint deadline) noexcept {
  if (deadline == TimePoint::max()) return 0;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(deadline - now).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, 0xffff'ffff));
}

}  // namespace

Result<void> start_call(CallStart& start, std::string_view target, const CallOptions& options, TimePoint now,
                        Duration timeout) {
  start.header.kind = wire::Kind::request;
  start.header.priority = options.priority;
  start.header.trace = options.within ? options.within->trace() : options.trace;
  timeout = options.timeout.value_or(timeout);
  if (timeout > Duration::zero()) start.deadline = now + timeout;
  if (options.within && options.within->has_deadline())
    start.deadline = std::min(start.deadline, options.within->deadline());
  if (start.deadline <= now)
    return Error(codes::deadline_exceeded, std::string(target) + ": no time was left to call it");
  if (target.size() > wire::kNameMax)
    return Error(codes::bad_name, "a method name of " + std::to_string(target.size()) + " bytes");
  if (options.within) {
    if (options.within->cancelled()) {
      return Error(codes::call_cancelled, std::string(target) + ": the call on whose behalf it is made was cancelled");
    }
    start.header.depth = static_cast<std::uint8_t>(std::min(options.within->depth() + 1, 255));
  }
  return {};
}

PendingCall::~PendingCall() {
  if (!waits()) return;
  caller_.tell_cancelled(*to_, id_);
  caller_.remove(*this);
}

Result<void> PendingCall::begin(Outgoing& outgoing, Payload& payload, std::uint32_t window) {
  if (caller_.pending_ >= caller_.pending_max_) {
    return Error(codes::queue_full, std::to_string(caller_.pending_) + " calls wait for answers (limits.pending_max)");
  }
  const TimePoint now = caller_.loop_.turn_time();
  outgoing_ = &outgoing;
  to_->last_used = now;
  wire::Header& header = outgoing.header;
  header.sender = caller_.sender_;
  header.epoch = caller_.epoch_;
  header.encoding = payload.encoding;
  header.deadline_us = budget_us(now, outgoing.deadline);
  id_ = header.id = caller_.add(*this);
  const bool must_copy = outgoing.keep_payload && payload.bytes.size() > net::kDetachBytes;
  Bytes copy = must_copy ? payload.bytes : Bytes();
  auto sent = caller_.send_request(*to_, outgoing, must_copy ? copy : payload.bytes, window);
  if (!sent) {
    caller_.remove(*this);
    return sent;
  }
  if (outgoing.deadline != TimePoint::max()) {
    caller_.deadlines_.add(caller_.slot(id_), outgoing.deadline);
    caller_.arm(outgoing.deadline + Deadlines::kTick);
  }
  if (outgoing.options.within) {
    cancelled_ = std::make_unique<CancelHook>();
    cancelled_->attach(*outgoing.options.within, [this] {
      give_up(Error(codes::call_cancelled,
                    std::string(outgoing_->target) + ": the call on whose behalf it was made was cancelled"));
    });
  }
  return {};
}

void PendingCall::give_up(Error error) {
  caller_.tell_cancelled(*to_, id_);
  finish(std::move(error));
}

Result<void> Caller::send_request(Destination& to, const Outgoing& call, Bytes& payload, std::uint32_t window) {
  const CallOptions& options = call.options;
  net::Link& link = link_of(to);
  const std::uint32_t sent_us = microseconds_of(loop_.turn_time());
  if (!options.within && options.key.empty() && options.headers.empty() && window == 0) {
    std::array<std::byte, wire::kStampSize> stamp;
    wire::encode_stamp(sent_us, stamp);
    return link.send(call.header, call.target, stamp, payload);
  }
  wire::Extension extension;
  extension.sent_us = sent_us;
  extension.window = window;
  extension.key = *options.key;
  Bytes chain, headers;
  if (options.within) {
    extension.cause = options.within->id();
    chain.assign(options.within->chain().begin(), options.within->chain().end());
    wire::append_link(chain, {sender_, options.within->full_name_});
    extension.chain = chain;
  }
  if (!options.headers.empty()) {
    headers = to_msgpack(to_value(*options.headers));
    extension.headers = headers;
  }
  if (auto fine = wire::encode(extension, extension_); !fine) return fine;
  return link.send(call.header, call.target, extension_, payload);
}

Attempt::Attempt(Caller& caller, Result<Destination*> to, Outgoing& outgoing, Payload& payload)
    : PendingCall(caller, to ? *to : nullptr), call_(outgoing), payload_(payload) {
  if (!to) outcome_.emplace(std::move(to.error()));
}

bool Attempt::await_ready() {
  auto fine = caller_.interceptors_.before(call_, ran_);
  if (fine && !outcome_) fine = begin(call_, payload_);
  if (!fine) outcome_.emplace(std::move(fine.error()));
  return outcome_.has_value();
}

void Attempt::take(const wire::EnvelopeView& envelope) {
  if (envelope.header.kind == wire::Kind::chunk)
    give_up(Error(codes::bad_stream, std::string(call_.target) + " answers with a stream: open it as one"));
}

void Attempt::ended(Result<Payload> outcome) {
  outcome_.emplace(std::move(outcome));
  if (auto waiter = std::exchange(waiter_, nullptr)) waiter.resume();
}

Result<Payload> Attempt::await_resume() {
  call_.end = caller_.loop_.turn_time();
  caller_.interceptors_.after(call_, *outcome_, ran_);
  return std::move(*outcome_);
}

}  // namespace weft::calls
