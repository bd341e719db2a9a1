#include "weft/peer/tracing.hpp"

#include "weft/calls/caller.hpp"

namespace weft::peer {
namespace {

/// What Weft asks for by itself, each second: it begins no trace that is exported, unless it fails.
bool housekeeping(std::string_view target) noexcept {
  return target.starts_with("registry.") || target.starts_with("errorbus.") || target.find("._") != target.npos;
}

std::uint16_t error_of(const Result<Payload>& outcome) noexcept {
  return outcome ? std::uint16_t{0} : observe::error_number(outcome.error());
}

}  // namespace

Tracing::Tracing(observe::Tracer& tracer, const Loop& loop, std::string agent)
    : tracer_(tracer),
      loop_(loop),
      agent_(std::move(agent)),
      keeps_house_(housekeeping(agent_ + ".")),
      targets_(calls::Caller::kTargetsMax),
      methods_(kMethodsKnown) {
  for (std::size_t i = 0; i < policy::kWhyChosenCount; ++i)
    why_chosen_[i] = tracer_.name(to_string(policy::WhyChosen(i)));
}

Interceptor Tracing::interceptor() {
  Interceptor out;
  out.name = "tracing";
  out.before_call = [this](Outgoing& call) { return before_call(call); };
  out.after_call = [this](Outgoing& call, const Result<Payload>& outcome) { after_call(call, outcome); };
  out.before_handler = [this](Incoming& call) { return before_handler(call); };
  out.after_handler = [this](Incoming& call, const Result<Payload>& outcome) { after_handler(call, outcome); };
  return out;
}

observe::Span Tracing::publication(std::string_view topic, const TraceContext& trace) {
  observe::Span span;
  span.context = tracer_.start(trace);
  span.parent = trace.span_id;
  span.kind = observe::SpanKind::producer;
  span.name = tracer_.name(topic);
  span.begin = loop_.now();
  return span;
}

void Tracing::published(observe::Span& span, const Result<bool>& outcome) {
  span.duration = loop_.now() - span.begin;
  if (!outcome) span.error = observe::error_number(outcome.error());
  tracer_.record(span);
}

Result<void> Tracing::before_call(Outgoing& call) {
  const TraceContext parent = call.header.trace;
  auto own = tracer_.start(parent);
  if (own.sampled() && !parent.has_trace() && housekeeping(call.target)) own.flags = 0;
  call.parent_span = parent.span_id;
  call.header.trace = own;
  if (own.sampled()) call.begin = loop_.now();
  return {};
}

void Tracing::after_call(Outgoing& call, const Result<Payload>& outcome) {
  observe::Span span;
  span.context = call.header.trace;
  if (span.context.sampled()) call.end = loop_.now();
  span.parent = call.parent_span;
  span.kind = observe::SpanKind::client;
  span.error = error_of(outcome);
  span.attempt = static_cast<std::uint16_t>(std::min(call.attempt, 65'535U));
  span.name = target_name(call);
  span.peer = peer_of(call);
  if (call.candidates > 0) {
    span.note = why_chosen_[static_cast<std::size_t>(call.why_chosen)];
    span.candidates = call.candidates;
  }
  span.message_id = call.header.id;
  span.sender = call.header.sender;
  span.begin = call.begin;
  span.duration = call.end - call.begin;
  tracer_.record(span);
}

Result<void> Tracing::before_handler(Incoming& call) {
  const TraceContext parent = call.trace;
  call.parent_span = parent.span_id;
  auto own = tracer_.start(parent);
  if (own.sampled() && !parent.has_trace() && (keeps_house_ || call.method.name.starts_with('_'))) own.flags = 0;
  call.trace = own;
  return {};
}

void Tracing::after_handler(Incoming& call, const Result<Payload>& outcome) {
  observe::Span span;
  span.context = call.trace;
  if (span.context.sampled()) call.end = loop_.now();
  span.parent = call.parent_span;
  span.kind = observe::SpanKind::server;
  span.error = error_of(outcome);
  span.name = method_name(call);
  span.message_id = call.call.id();
  span.sender = call.call.sender();
  span.begin = call.begin;
  span.duration = call.end - call.begin;
  if (call.call.begun() != TimePoint()) span.queue = call.call.begun() - call.begin;
  span.wire = call.queued;
  if (span.error != 0 && call.call.has_deadline() && call.call.begun() >= call.call.deadline())
    span.note = tracer_.name("its time was over before its turn came");
  tracer_.record(span);
}

std::uint32_t Tracing::target_name(const Outgoing& call) {
  if (call.target_id >= targets_.size()) return tracer_.name(call.target);  // one number for many
  std::uint32_t& known = targets_[call.target_id];
  if (known == 0) known = tracer_.name(call.target);
  return known;
}

std::uint32_t Tracing::method_name(const Incoming& call) {
  const auto name = [&] { return tracer_.name(agent_ + "." + call.method.name); };
  if (call.method_id >= methods_.size()) return name();
  std::uint32_t& known = methods_[call.method_id];
  if (known == 0) known = name();
  return known;
}

std::uint32_t Tracing::peer_of(const Outgoing& call) {
  if (!call.instance) return tracer_.name(call.endpoint);
  KnownPeer& known = peers_[(reinterpret_cast<std::uintptr_t>(call.instance) >> 6) % kPeersKnown];
  const std::uint64_t instance = call.instance->instance.short_id();
  if (known.record != call.instance || known.instance != instance)
    known = {call.instance, instance, tracer_.name(call.instance->agent + "@" + call.instance->host)};
  return known.name;
}

}  // namespace weft::peer
