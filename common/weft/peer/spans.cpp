#include "weft/peer/spans.hpp"

namespace weft::peer {
namespace {

SpanInfo info_of(const observe::Span& span, const observe::Tracer& tracer, const Clock& clock) {
  SpanInfo out;
  if (span.context.has_trace()) {
    out.trace_id = observe::to_hex(span.context.trace_id);
    out.span_id = observe::to_hex(span.context.span_id);
  }
  if (span.parent != observe::SpanId{}) out.parent_id = observe::to_hex(span.parent);
  out.kind = observe::to_string(span.kind);
  out.name = tracer.text(span.name);
  out.peer = tracer.text(span.peer);
  out.error = observe::error_text(span.error);
  out.message_id = span.message_id;
  out.attempt = span.attempt;
  const auto ago = std::chrono::duration_cast<std::chrono::microseconds>(clock.now() - span.begin);
  out.begin_us = to_us(clock.wall() - ago);
  out.duration_ns = span.duration.count();
  out.queue_ns = span.queue.count();
  out.wire_ns = span.wire.count();
  out.sampled = span.context.sampled();
  if (span.sender != 0) out.message = observe::to_text({span.message_id, span.sender});
  out.note = tracer.text(span.note);
  out.candidates = span.candidates;
  return out;
}

}  // namespace

Result<SpansReply> spans_of(const observe::Tracer& tracer, const Clock& clock, const SpansRequest& request) {
  std::vector<observe::Span> found;
  if (!request.trace_id.empty()) {
    const auto trace = observe::trace_id_from(request.trace_id);
    if (!trace) return trace.error();
    found = tracer.of_trace(*trace);
  } else {
    const std::string sender = request.sender.empty() ? "" : request.sender + "-";
    const auto message = observe::message_id_from(sender + std::to_string(request.message_id));
    if (!message) return message.error();
    found = tracer.of_message(message->id, message->sender);
  }
  SpansReply reply;
  const std::size_t shown = std::min(found.size(), SpansRequest::kSpansMax);
  reply.more = found.size() - shown;
  for (std::size_t i = found.size() - shown; i < found.size(); ++i)
    reply.spans.push_back(info_of(found[i], tracer, clock));
  return reply;
}

}  // namespace weft::peer
