#include "weft/agent/actor_metrics.hpp"

namespace weft {
namespace {

struct Sums {
  explicit Sums(observe::Metrics& metrics)
      : live(metrics.gauge("weft_actors", "Live actors.")),
        depth(metrics.gauge("weft_actors_mailbox_depth", "Messages that wait in mailboxes, over all actors.")),
        handled(metrics.mirrored_counter("weft_actor_messages_handled_total", "Messages handed to actors.")),
        failures(
            metrics.mirrored_counter("weft_actor_failures_total", "Exceptions that left handlers or hooks of actors.")),
        restarts(metrics.mirrored_counter("weft_actor_restarts_total", "Restarts of actors by their supervisors.")),
        gave_up(metrics.mirrored_counter("weft_actor_gave_up_total", "Actors given up after too many restarts.")),
        unreported(metrics.mirrored_counter("weft_actor_events_dropped_total",
                                            "Events of actors that were too many for the error bus.")) {
    for (std::size_t i = 0; i < dropped.size(); ++i) {
      dropped[i] =
          &metrics.mirrored_counter("weft_actor_messages_dropped_total", "Messages that reached no handler, by reason.",
                                    {{"reason", std::string(to_string(static_cast<actor::Drop>(i)))}});
    }
  }
  void set(const actor::Totals& totals, std::uint64_t events_dropped) {
    live.set(static_cast<double>(totals.actors));
    depth.set(static_cast<double>(totals.depth));
    handled.set(static_cast<double>(totals.handled));
    failures.set(static_cast<double>(totals.failures));
    restarts.set(static_cast<double>(totals.restarts));
    gave_up.set(static_cast<double>(totals.gave_up));
    unreported.set(static_cast<double>(events_dropped));
    for (std::size_t i = 0; i < dropped.size(); ++i) dropped[i]->set(static_cast<double>(totals.dropped[i]));
  }
  observe::Gauge &live, &depth, &handled, &failures, &restarts, &gave_up, &unreported;
  std::array<observe::Gauge*, actor::kDropReasons> dropped{};
};

struct One {
  One(observe::Metrics& metrics, std::string actor_name)
      : name(std::move(actor_name)),
        depth(
            metrics.gauge("weft_mailbox_depth", "Messages that wait in the mailbox of this actor.", {{"actor", name}})),
        limit(metrics.gauge("weft_mailbox_limit", "Capacity of the mailbox of this actor; 0: unbounded.",
                            {{"actor", name}})),
        oldest(metrics.gauge("weft_mailbox_oldest_message_age_seconds",
                             "Age of the oldest message that waits or is in hand.", {{"actor", name}})),
        restarts(
            metrics.gauge("weft_actor_restarts", "Restarts of this actor; 255 stands for more.", {{"actor", name}})) {}
  void set(const actor::System& system) {
    const auto info = system.info(system.find(name));
    depth.set(info ? info->depth : 0);
    limit.set(info ? info->capacity : 0);
    oldest.set(info ? to_seconds(info->oldest) : 0);
    restarts.set(info ? info->restarts : 0);
  }
  std::string name;
  observe::Gauge &depth, &limit, &oldest, &restarts;
};

}  // namespace

void export_actor_metrics(observe::Metrics& metrics, const actor::System& system, const ErrorBusMonitor& monitor,
                          std::vector<std::string> names) {
  auto ones = std::make_shared<std::vector<One>>();
  for (std::string& name : names) ones->emplace_back(metrics, std::move(name));
  metrics.on_collect([&system, &monitor, sums = std::make_shared<Sums>(metrics), ones] {
    sums->set(system.totals(), monitor.dropped());
    for (One& one : *ones) one.set(system);
  });
}

}  // namespace weft
