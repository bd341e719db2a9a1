#include "weft/replica/follower.hpp"

namespace weft::replica {
namespace {

constexpr Duration kPauseMin = 100ms, kPauseMax = 5s;  // between snapshots, doubled each time
constexpr Duration kCalm = 10s;                        // without a gap: the next may be asked for at once
constexpr Duration kFollowerLookMax = 100ms;
constexpr Duration kIdleMax = 10s;  // of the stream of a snapshot
constexpr std::size_t kWaitingMax = 1000;

observe::Labels about(const std::string& source) { return {{"map", source}}; }

/// While it lives, `flag` says so; however its work ends.
class Running {
 public:
  explicit Running(bool& flag) : flag_(flag) { flag_ = true; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { flag_ = false; }

 private:
  bool& flag_;
};

Task<void> run(std::shared_ptr<Follower> keep, Task<void> work) {
  (void)keep;  // as long as its work runs
  co_await work;
}

}  // namespace

Follower::Meters::Meters(observe::Metrics& m, const std::string& source)
    : entries(m.gauge("weft_replica_entries", "Entries of a replica", about(source))),
      synced(m.gauge("weft_replica_synced", "1 while nothing that the owner told is missing, and it is heard",
                     about(source))),
      behind(m.gauge("weft_replica_behind_changes", "Changes that the owner made and the replica does not have",
                     about(source))),
      heard(m.gauge("weft_replica_heard_timestamp_seconds", "When the owner was heard last", about(source))),
      gaps(m.mirrored_counter("weft_replica_gaps_total", "Times that changes were lost on the way", about(source))),
      restarts(m.mirrored_counter("weft_replica_owner_restarts_total",
                                  "Times that another instance of the owner took over", about(source))),
      snapshots(m.mirrored_counter("weft_replica_snapshots_total", "Snapshots taken to their end", about(source))),
      undecodable(m.mirrored_counter("weft_replica_undecodable_total",
                                     "Values left out because they are not of the replica's type", about(source))),
      strangers(m.mirrored_counter("weft_replica_strangers_total",
                                   "Messages of an older owner beside a newer one: ignored", about(source))) {}

Follower::Follower(Agent& agent, const std::string& source, std::size_t entries_max, ReplicaTable::Decode decode,
                   ReplicaTable::Changed changed)
    : agent_(agent),
      source_(source),
      table_(entries_max, decode, std::move(changed)),
      meters_(agent.metrics(), source) {}

std::shared_ptr<Follower> Follower::start(Agent& agent, const std::string& source, std::size_t entries_max,
                                          ReplicaTable::Decode decode, ReplicaTable::Changed changed) {
  std::shared_ptr<Follower> follower(new Follower(agent, source, entries_max, decode, std::move(changed)));
  follower->listen();
  return follower;
}

void Follower::listen() {
  SubscribeOptions options;
  options.last_value = true;  // comes when the subscription has effect: what is asked for after it misses nothing
  agent_.subscribe(
      source_,
      [self = shared_from_this()](const Changes& message, const Event& event) {
        if (event.sender == message.owner.short_id()) self->hear(message);  // else somebody else's event on this topic
      },
      options);
  agent_.every(kBeat, [self = shared_from_this()] { self->look(); });
}

void Follower::close() {
  closed_ = true;
  table_.stop_telling();
  waiting_.clear();
}

void Follower::hear(const Changes& message) {
  if (closed_) return;
  table_.hear(message, agent_.loop().now());
  const auto wall = agent_.loop().clock().wall().time_since_epoch();
  meters_.heard.set(std::chrono::duration<double>(wall).count());
  go_on();
}

/// After anything that may have changed how this stands.
void Follower::go_on() {
  show();
  watch_times();
  if (synced()) {
    for (auto& give : std::exchange(waiting_, {})) give(true);
  }
  if (!table_.wants_snapshot() || table_.silent(agent_.loop().now()) || std::exchange(follows_, true)) return;
  agent_.spawn(run(shared_from_this(), follow()));
}

void Follower::look() {
  if (closed_) return;
  if (synced() && agent_.loop().now() >= calm_at_) pause_ = {};
  go_on();
}

void Follower::show() {
  const ReplicaCounts& counts = table_.counts();
  const auto set = [](observe::Gauge& gauge, auto value) { gauge.set(static_cast<double>(value)); };
  set(meters_.entries, table().size());
  set(meters_.synced, synced());
  set(meters_.behind, table_.behind());
  set(meters_.gaps, counts.gaps);
  set(meters_.restarts, counts.restarts);
  set(meters_.snapshots, counts.snapshots);
  set(meters_.undecodable, counts.undecodable);
  set(meters_.strangers, counts.strangers);
}

Task<void> Follower::follow() {
  {
    const Running running(follows_);
    while (!closed_ && table_.wants_snapshot() && !table_.silent(agent_.loop().now())) {
      if (pause_ > Duration::zero()) co_await agent_.sleep(pause_);
      pause_ = std::clamp<Duration>(2 * pause_, kPauseMin, kPauseMax);
      calm_at_ = agent_.loop().now() + kCalm;
      auto taken = co_await take_snapshot();
      if (taken) continue;
      agent_.log().warn("a replica has no snapshot yet", {{"map", source_}, {"error", taken.error().describe()}});
    }
  }
  if (!closed_) go_on();
}

Task<Result<void>> Follower::take_snapshot() {
  const std::uint64_t attempt = table_.begin();
  auto taken = co_await take_parts(attempt);
  if (!taken) table_.give_up(attempt);
  co_return taken;
}

Task<Result<void>> Follower::take_parts(std::uint64_t attempt) {
  StreamOptions options;
  options.instance = table_.owner().to_string();
  options.idle = kIdleMax;
  auto stream = co_await agent_.open_stream(source_, Value(), options);
  if (!stream) co_return stream.error();
  for (;;) {
    auto part = co_await stream->read<SnapshotPart>();
    if (!part) co_return part.error();
    if (!*part) break;
    auto taken = table_.take(attempt, **part, agent_.loop().now());
    if (!taken) co_return taken.error();
  }
  auto last = co_await stream->result();
  if (!last) co_return last.error();
  auto end = last->as<SnapshotEnd>();
  if (!end) co_return end.error();
  co_return table_.finish(attempt, *end, agent_.loop().now());
}

void Follower::watch_times() {
  if (watches_times_ || table().next_expiry() == TimePoint::max()) return;
  watches_times_ = true;
  agent_.spawn(run(shared_from_this(), end_in_time()));
}

Task<void> Follower::end_in_time() {
  const Running running(watches_times_);
  while (!closed_ && table().next_expiry() != TimePoint::max()) {
    const Duration left = table().next_expiry() - agent_.loop().now();
    co_await agent_.sleep(std::clamp<Duration>(left, 1ms, kFollowerLookMax));
    table_.expire(agent_.loop().now());
  }
}

Task<Result<void>> Follower::until_synced(Duration timeout) {
  if (synced()) co_return Result<void>();
  if (waiting_.size() >= kWaitingMax)
    co_return Error(codes::queue_full, source_ + ": " + std::to_string(kWaitingMax) + " wait for it already");
  auto here = actor::Context::current();
  actor::Responder<bool> give;
  auto answer = here.promise<bool>(give, timeout);
  waiting_.push_back(std::move(give));
  auto outcome = co_await answer;
  if (outcome) co_return Result<void>();
  co_return Error(codes::deadline_exceeded,
                  source_ + ": no whole copy within " + to_text(timeout) +
                      (table_.owner().is_nil() ? ": its owner was not heard" : ""),
                  "is its owner running? weft ping tells");
}

}  // namespace weft::replica
