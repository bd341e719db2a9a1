// OwnedEvent: an event that outlives the frame it came in. Private to agent.
#pragma once
#include <optional>
#include <string>

#include "weft/agent/agent.hpp"
#include "weft/events/consumer_span.hpp"

namespace weft {

/// An event of its own, for a handler that runs later.
struct OwnedEvent {
  explicit OwnedEvent(const Event& event)
      : topic(event.topic),
        payload(event.payload),
        sequence(event.sequence),
        sender(event.sender),
        missed(event.missed),
        trace(event.trace),
        last_value(event.last_value),
        expires(event.expires) {}
  Event view() const { return {topic, payload, sequence, sender, missed, trace, last_value, expires}; }
  std::string topic;
  Payload payload;
  std::uint64_t sequence, sender, missed;
  TraceContext trace;
  bool last_value;
  TimePoint expires;
  std::optional<events::ConsumerSpan> span{};
};

}  // namespace weft
