#include "errorbus/relay.hpp"

namespace weft::errorbus {

Relay::Relay(Loop& loop, Journal& journal, Options options, Send send, observe::Metrics& metrics, observe::Log& log,
             ErrorSink& errors)
    : journal_(journal),
      options_(std::move(options)),
      send_(std::move(send)),
      log_(log),
      errors_(errors),
      sent_(metrics.counter("weft_error_relayed_total", "Events that the hub has acknowledged.")),
      failures_(metrics.counter("weft_error_relay_failures_total", "Attempts to bring events to the hub that failed.")),
      refused_(metrics.counter("weft_error_relay_refused_total", "Events that the hub refused and only this bus has.")),
      batch_max_(options_.batch_max),
      delay_(options_.retry_min),
      retry_(loop) {}

void Relay::wake() {
  if (running_ || retry_.running()) return;
  running_ = true;
  scope_.spawn(run());
}

Task<void> Relay::run() {
  for (bool again = true; again;) {
    auto batch = journal_.waiting(batch_max_, options_.bytes_max);
    if (!batch) {
      failed(batch.error());
      break;
    }
    if (batch->empty()) break;
    if (batch->events.empty()) {  // none of them need be forwarded
      journal_.relayed(*batch);
      continue;
    }
    auto outcome = co_await attempt(*batch);
    again = settle(*batch, outcome);
  }
  running_ = false;
}

Task<Result<report::ReportReply>> Relay::attempt(const Journal::Batch& batch) {
  report::ReportRequest request;
  request.events = batch.events;
  request.via = options_.host;
  try {
    co_return co_await send_(std::move(request));
  } catch (const std::exception& thrown) {
    co_return Error(codes::bug, thrown.what());
  }
}

bool Relay::settle(const Journal::Batch& batch, const Result<report::ReportReply>& outcome) {
  if (!outcome) {
    const Error& error = outcome.error();
    if (error.is(codes::bad_event) || error.is(codes::too_large) || error.is(codes::bad_payload)) {
      return refused(batch, error);
    }
    failed(error);
    return false;
  }
  if (!error_.empty()) log_.info("the hub takes events again", {{"waiting", journal_.waiting_events()}});
  error_.clear();
  delay_ = options_.retry_min;
  batch_max_ = std::min(batch_max_ * 2, options_.batch_max);
  sent_.add(batch.events.size());
  journal_.relayed(batch);
  return true;
}

/// Halves the batch until the bad event is alone in it; then it stays here.
bool Relay::refused(const Journal::Batch& batch, const Error& error) {
  if (batch.events.size() > 1) {
    batch_max_ = batch.events.size() / 2;
    return true;
  }
  refused_.add();
  log_.error("the hub refuses an event; it stays here only", error, {{"event", batch.events[0].id.to_string()}});
  journal_.relayed(batch);
  return true;
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
  retry_.start(delay_, [this] { wake(); });
  delay_ = std::min(delay_ * 2, options_.retry_max);
}

}  // namespace weft::errorbus
