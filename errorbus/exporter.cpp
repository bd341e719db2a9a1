#include "errorbus/exporter.hpp"

#include "weft/observe/shared_metrics.hpp"

namespace weft::errorbus {
namespace {
constexpr const char* kRejected = "weft_error_rejected_total";
constexpr const char* kRejectedHelp =
    "Events that the bus did not take: bad_event (dropped), journal_failed (sent again).";
}  // namespace

Exporter::Exporter(Journal& journal, const Clock& clock, observe::Metrics& metrics)
    : journal_(journal),
      clock_(clock),
      metrics_(metrics),
      commits_(metrics.counter("weft_error_journal_commits_total", "Transactions of the error journal.")),
      duplicates_(metrics.counter("weft_error_duplicates_total", "Events that the journal already had by id.")),
      live_skipped_(metrics.counter("weft_error_live_skipped_total", "Events not published live: over the rate.")) {
  rejected("bad_event", 0);
  rejected("journal_failed", 0);
  metrics.on_collect(lifetime_.guard([this] { collect(); }));
}

void Exporter::rejected(std::string_view reason, std::uint64_t events) {
  metrics_.counter(kRejected, kRejectedHelp, {{"reason", std::string(reason)}}).add(events);
}

void Exporter::restore() {
  for (const auto& [key, events] : journal_.counts()) {
    const auto shown = shown_[key];
    if (events > shown) add(key, events - shown);
  }
}

void Exporter::count(const Journal::Committed& committed) {
  commits_.add();
  for (const auto& reply : committed.replies) duplicates_.add(reply.duplicates);
  for (const auto& [key, events] : committed.counted) add(key, events);
}

void Exporter::add(const CountKey& key, std::uint64_t events) {
  const observe::Labels labels{
      {"host", key.host}, {"agent", key.agent}, {"severity", std::string(to_string(key.severity))}, {"code", key.code}};
  metrics_.counter("weft_error_events_total", "Error events in this bus's journal since it was made.", labels)
      .add(events);
  shown_[key] += events;
}

void Exporter::collect() {
  const auto gauge = [this](const char* name, const char* help, double value) {
    metrics_.gauge(name, help).set(value);
  };
  gauge("weft_error_relay_pending", "Events that wait for the hub.", static_cast<double>(journal_.waiting_events()));
  const auto since = journal_.waiting_since_us();
  const double age = since == 0 ? 0.0 : static_cast<double>(to_us(clock_.wall()) - since) / 1e6;
  observe::show_error_spool(metrics_, static_cast<double>(journal_.waiting_bytes()), age);
  gauge("weft_error_journal_bytes", "Size of the error journal's file and its log.",
        static_cast<double>(journal_.bytes()));
  gauge("weft_error_journal_events", "Events that the error journal keeps.",
        static_cast<double>(journal_.events_kept()));
  const auto states = journal_.issue_states();
  if (!states) return;
  for (std::size_t i = 0; i < states->size(); ++i) {
    const auto name = to_string(static_cast<IssueState>(i));
    metrics_.gauge("weft_error_issues", "Issues by state.", {{"state", std::string(name)}})
        .set(static_cast<double>((*states)[i]));
  }
}

}  // namespace weft::errorbus
