#include "weft/mesh/liveness.hpp"

#include <algorithm>
#include <utility>

namespace weft::mesh {
namespace {

constexpr Duration kLookEvery = 10ms;     // while calls are under way
constexpr Duration kPingTimeout = 500ms;  // then another one is sent: the latest always waits

}  // namespace

Liveness::Liveness(Loop& loop, Caller& caller, observe::Metrics& metrics, observe::Log& log, Answers answers)
    : loop_(loop),
      caller_(caller),
      log_(log),
      silent_(metrics.counter("weft_instances_silent_total",
                              "Times an instance that owed answers did not answer a ping, and got no further calls")),
      answers_(std::move(answers)),
      timer_(loop) {}

void Liveness::call_sent(const Router::Candidate& to) {
  InstanceState& instance_state = *to.instance_state;
  instance_state.silence.call_sent(loop_.turn_time());
  if (std::exchange(instance_state.watched, true)) return;
  watched_.push_back({to, nullptr});
  if (!timer_.running()) timer_.start(kLookEvery, [this] { look(); });
}

void Liveness::gone(const Ulid& instance) {
  std::erase_if(watched_, [&](const Watched& watched) { return watched.instance.instance_state->id == instance; });
}

void Liveness::look() {
  const TimePoint now = loop_.turn_time();
  std::vector<std::shared_ptr<InstanceState>> again;  // reporting them may start calls
  std::erase_if(watched_, [&](Watched& watched) {
    const bool was_silent = watched.reported;
    const bool keep = look_at(watched, now);
    if (was_silent && !watched.reported) again.push_back(watched.instance.instance_state);
    watched.instance.instance_state->watched = keep;
    return !keep;
  });
  for (const auto& instance_state : again) answers_(*instance_state);
  if (!watched_.empty() && !timer_.running()) timer_.start(kLookEvery, [this] { look(); });
}

/// False when it need not be looked at any more: it owes nothing.
bool Liveness::look_at(Watched& watched, TimePoint now) {
  InstanceState& instance_state = *watched.instance.instance_state;
  const bool owes = instance_state.in_flight > 0;
  const bool due = instance_state.silence.look(now, watched.instance.to->last_heard, owes);
  if (due || (instance_state.silence.pinging() && !watched.ping->waits())) {
    if (!watched.ping)
      watched.ping = std::make_unique<calls::Ping>(caller_, watched.instance.to, watched.instance.record->agent);
    const bool sent = watched.ping->waits() || watched.ping->send(kPingTimeout).has_value();
    if (sent && due) instance_state.silence.ping_sent(now);
  }
  if (instance_state.silence.silent(now) != watched.reported) report(watched, !watched.reported);
  return owes || instance_state.silence.pinging();
}

void Liveness::report(Watched& watched, bool silent) {
  watched.reported = silent;
  if (silent) silent_.add();
  const auto& record = *watched.instance.record;
  log_.write(silent ? observe::Level::warn : observe::Level::info,
             silent ? "an instance is silent: it gets calls only when no other can take them"
                    : "a silent instance answers again",
             {{"peer_agent", record.agent}, {"peer_host", record.host}, {"peer", record.instance.to_string()}});
}

}  // namespace weft::mesh
