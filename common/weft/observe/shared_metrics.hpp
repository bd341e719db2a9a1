// The door of metrics that several rooms count: each has its name, help and labels here, once.
#pragma once
#include <string>

#include "weft/observe/observe.hpp"

namespace weft::observe {

/// weft_messages_dropped_total. `labels`: class and reason, and for events the publisher.
inline Counter& dropped_messages(Metrics& metrics, const Labels& labels) {
  return metrics.counter("weft_messages_dropped_total", "Messages lost, by class, reason and, for events, publisher",
                         labels);
}

/// weft_requests_expired_total. `place`: where the request waited: "transit", "mailbox".
inline Counter& expired_requests(Metrics& metrics, std::string place) {
  return metrics.counter("weft_requests_expired_total",
                         "Requests dropped before their handler because their deadline was over, by place",
                         {{"place", std::move(place)}});
}

inline Counter& event_handler_failures(Metrics& metrics) {
  return metrics.counter("weft_event_handler_failures_total", "Event handlers that threw");
}

/// weft_error_spool_*: the error events that wait in this process, in an agent for its bus, in a bus for the hub.
inline void show_error_spool(Metrics& metrics, double bytes, double oldest_age_seconds) {
  metrics.gauge("weft_error_spool_bytes", "Bytes of the error events that wait for the next bus.").set(bytes);
  metrics.gauge("weft_error_spool_oldest_age_seconds", "Age of the oldest error event that waits; 0: none.")
      .set(oldest_age_seconds);
}

}  // namespace weft::observe
