#include "weft/agent/error_bus_monitor.hpp"

namespace weft {
namespace {

Severity severity_of(actor::Level level) noexcept {
  switch (level) {
    case actor::Level::critical:
      return Severity::critical;
    case actor::Level::error:
      return Severity::error;
    case actor::Level::warning:
      return Severity::warning;
    default:
      return Severity::info;
  }
}

}  // namespace

ErrorEvent error_event_of(const actor::MonitorEvent& event) {
  ErrorEvent out;
  out.severity = severity_of(event.level);
  out.category = "actor";
  out.code = event.kind == "gave_up" ? codes::gave_up.id : codes::actor_failed.id;
  out.message = "actor {actor}: {kind}: {what}";
  out.values["actor"] = event.name.empty() ? std::to_string(event.actor) : event.name;
  out.values["kind"] = std::string(event.kind);
  out.values["what"] = "";
  for (const auto& field : event.fields) {
    if (field.key == "exception") {
      out.exception = field.value;
      continue;
    }
    if (field.key == "stack") {
      out.stack = field.value;
      continue;
    }
    const bool number = field.key == "restarts";
    out.values[std::string(field.key)] = number ? Value(std::stoll(field.value)) : Value(field.value);
  }
  return out;
}

ErrorBusMonitor::ErrorBusMonitor(Loop& loop, std::function<void(ErrorEvent)> report)
    : loop_(loop), report_(std::make_shared<std::function<void(ErrorEvent)>>(std::move(report))) {}

void ErrorBusMonitor::record(actor::MonitorEvent event) noexcept {
  if (waiting_->fetch_add(1, std::memory_order_relaxed) >= kWaitingMax) {
    waiting_->fetch_sub(1, std::memory_order_relaxed);
    return fold(event);
  }
  loop_.post([report = report_, waiting = waiting_, out = error_event_of(event)]() mutable {
    waiting->fetch_sub(1, std::memory_order_relaxed);
    (*report)(std::move(out));
  });
}

void ErrorBusMonitor::fold(const actor::MonitorEvent& event) {
  bool first = false, kept = false;
  {
    const std::lock_guard lock(overflow_->mutex);
    first = overflow_->folds.events() == 0;
    kept = overflow_->folds.add(error_event_of(event));
  }
  if (!kept) dropped_.fetch_add(1, std::memory_order_relaxed);
  if (!kept || !first) return;
  loop_.post([report = report_, overflow = overflow_] {
    const std::lock_guard lock(overflow->mutex);
    while (auto sample = overflow->folds.take()) (*report)(std::move(*sample));
  });
}

}  // namespace weft
