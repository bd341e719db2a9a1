#include "errorbus/relay.hpp"

namespace weft::errorbus {

Relay::Relay(Loop& loop, Journal& journal, Options options, Send send, observe::Metrics& metrics, observe::Log& log,
             ErrorSink& errors)
    : journal_(journal),
      options_(std::move(options)),
      log_(log),
      errors_(errors),
      sent_(metrics.counter("weft_error_relayed_total", "Events that the hub has acknowledged.")),
      failures_(metrics.counter("weft_error_relay_failures_total", "Attempts to bring events to the hub that failed.")),
      refused_(metrics.counter("weft_error_relay_refused_total", "Events that the hub refused and only this bus has.")),
      courier_(loop, *this, {options_.batch_max, options_.retry_min, options_.retry_max, options_.host},
               std::move(send)) {}

Result<std::vector<ErrorEvent>> Relay::next(std::size_t events_max) {
  for (;;) {
    auto batch = journal_.waiting(events_max, options_.bytes_max);
    if (!batch) return batch.error();
    batch_ = std::move(*batch);
    if (batch_.empty() || !batch_.events.empty()) return batch_.events;
    journal_.relayed(batch_);  // none of them need be forwarded
  }
}

void Relay::delivered(std::size_t events) {
  if (!error_.empty()) log_.info("the hub takes events again", {{"waiting", journal_.waiting_events()}});
  error_.clear();
  sent_.add(events);
  journal_.relayed(batch_);
}

/// The event stays here.
void Relay::rejected(const Error& error) {
  refused_.add();
  log_.error("the hub refuses an event; it stays here only", error, {{"event", batch_.events[0].id.to_string()}});
  journal_.relayed(batch_);
}

/// Once for each time that the hub goes away: at the hub it tells later why events came late.
void Relay::tell(const Error& error) {
  log_.warn("the hub does not take events; they wait here", {{"error", error.describe()}});
  ErrorEvent event;
  event.severity = Severity::warning;
  event.category = "relay";
  event.code = codes::bus_unavailable.id;
  event.message = "the hub does not take events: {error}";
  event.values["error"] = error.describe();
  event.fingerprint = "relay " + options_.host;
  errors_.report(std::move(event));
}

void Relay::failed(const Error& error) {
  failures_.add();
  if (error_.empty()) tell(error);
  error_ = error.describe();
}

}  // namespace weft::errorbus
