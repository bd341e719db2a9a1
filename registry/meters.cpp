#include "registry/meters.hpp"

#include <array>

namespace weft::registry {
namespace {

constexpr std::string_view kInstances = "weft_registry_instances";
constexpr std::string_view kInstancesHelp =
    "Instances by state: confirmed and unconfirmed are registered here, replicated at other registries";
constexpr std::string_view kRegistrations = "weft_registry_registrations_total";
constexpr std::string_view kRegistrationsHelp = "Registrations asked for, by outcome";
constexpr std::string_view kInfo = "weft_agent_info";
constexpr std::string_view kRenewals = "weft_registry_renewals_total";
constexpr std::string_view kRenewalsHelp = "Renewals asked for, by outcome";

std::string outcome_label(const Error* outcome) {
  if (outcome == nullptr) return "done";
  if (outcome->is(codes::fenced)) return "fenced";
  if (outcome->is(codes::table_full)) return "table_full";
  if (outcome->is(codes::wrong_mesh)) return "wrong_mesh";
  if (outcome->is(codes::unknown_instance)) return "unknown";
  return "invalid";
}

}  // namespace

Meters::Meters(observe::Metrics& metrics)
    : store_errors(metrics.counter("weft_registry_store_errors_total", "Writes to the store that failed")),
      metrics_(metrics),
      confirmed_(metrics.gauge(kInstances, kInstancesHelp, {{"state", "confirmed"}})),
      unconfirmed_(metrics.gauge(kInstances, kInstancesHelp, {{"state", "unconfirmed"}})),
      replicated_(metrics.gauge(kInstances, kInstancesHelp, {{"state", "replicated"}})),
      expired_(metrics.counter("weft_registry_lease_expired_total", "Instances removed because nobody renewed them")),
      starts_cut_(metrics.counter("weft_registry_starts_cut_total",
                                  "Registrations whose start was in the future, and was taken as now")) {
  for (const auto* outcome : {"done", "fenced", "table_full", "wrong_mesh", "invalid"})
    metrics.counter(kRegistrations, kRegistrationsHelp, {{"outcome", outcome}});
  for (const auto* outcome : {"done", "fenced", "unknown"})
    metrics.counter(kRenewals, kRenewalsHelp, {{"outcome", outcome}});
}

void Meters::follow(const wire::Changes& changes) {
  for (const auto& removal : changes.removals) gone(removal);
  for (const auto& record : changes.upserts) present(record);
}

void Meters::measure(const Book& book) {
  const std::size_t own = book.table().size(), unconfirmed = book.table().unconfirmed();
  confirmed_.set(static_cast<double>(own - unconfirmed));
  unconfirmed_.set(static_cast<double>(unconfirmed));
  replicated_.set(static_cast<double>(book.view().size() - std::min(own, book.view().size())));
  expired_.add(book.leases_expired() - expired_.value());
  starts_cut_.add(book.table().starts_cut() - starts_cut_.value());
}

void Meters::registration(const Error* outcome) { outcome_counter(kRegistrations, kRegistrationsHelp, outcome).add(); }
void Meters::renewal(const Error* outcome) { outcome_counter(kRenewals, kRenewalsHelp, outcome).add(); }

observe::Counter& Meters::outcome_counter(std::string_view name, std::string_view help, const Error* outcome) {
  return metrics_.counter(name, help, {{"outcome", outcome_label(outcome)}});
}

void Meters::present(const InstanceRecord& record) {
  const Place place{record.agent, record.host};
  const auto [it, fresh] = instances_.try_emplace(record.instance, place, record.version);
  if (!fresh) return;
  versions_[place].insert(record.version);
  show(place, true);
  show_info(place, record.version, true);
}

void Meters::gone(const wire::Removal& removal) {
  const auto it = instances_.find(removal.instance);
  if (it == instances_.end()) return;
  const auto [place, version] = it->second;
  instances_.erase(it);
  auto& versions = versions_[place];
  versions.erase(versions.find(version));
  show_info(place, version, versions.contains(version));
  show(place, !versions.empty());
  if (versions.empty()) versions_.erase(place);
}

void Meters::show(const Place& place, bool up) {
  metrics_
      .gauge("weft_agent_up", "1 while an instance of the agent on the host is registered, 0 when the last one is gone",
             {{"agent", place.first}, {"host", place.second}})
      .set(up ? 1 : 0);
}

void Meters::show_info(const Place& place, const std::string& version, bool present) {
  const observe::Labels labels{{"agent", place.first}, {"host", place.second}, {"version", version}};
  // The value of an info metric is always 1 (OpenMetrics 1.0.0), so what no longer exists has no series.
  if (!present) return metrics_.remove_gauge(kInfo, labels);
  metrics_.gauge(kInfo, "Versions of which an instance is registered", labels).set(1);
}

}  // namespace weft::registry
