// ConsumerSpan: the span of one event's handler, which may run later and on another thread. Only for events of traces
// that are sampled.
#pragma once
#include <optional>

#include "weft/events/event.hpp"
#include "weft/observe/trace.hpp"

namespace weft::events {

class ConsumerSpan {
 public:
  /// None where the event's trace is not sampled, or nobody keeps spans. On the loop; borrows both.
  static std::optional<ConsumerSpan> of(const Event& event, Loop& loop, observe::Tracer* tracer) {
    if (!tracer || !event.trace.sampled()) return std::nullopt;
    return ConsumerSpan(event, loop, *tracer);
  }
  /// What the handler goes on with.
  TraceContext trace() const noexcept { return span_.context; }
  /// Thread-safe: one after the other.
  void begin_handler() noexcept { span_.queue = loop_->now() - span_.begin; }
  /// Records it in a later turn of the loop. Thread-safe.
  void end(bool failed) {
    span_.duration = loop_->now() - span_.begin;
    if (failed) span_.error = observe::error_number(codes::handler_failed.id);
    loop_->post([span = span_, tracer = tracer_] { tracer->record(span); });
  }

 private:
  ConsumerSpan(const Event& event, Loop& loop, observe::Tracer& tracer) : loop_(&loop), tracer_(&tracer) {
    const TraceContext& parent = event.trace;
    span_.context = tracer.start(parent);
    span_.parent = parent.span_id;
    span_.kind = observe::SpanKind::consumer;
    span_.name = tracer.name(event.topic);
    span_.message_id = event.sequence;
    span_.sender = event.sender;
    span_.begin = loop.now();
  }
  Loop* loop_;
  observe::Tracer* tracer_;
  observe::Span span_;
};

}  // namespace weft::events
