#include "weft/replica/owner.hpp"

namespace weft::replica {
namespace {

constexpr std::size_t kSnapshotsMax = 64;       // at once; each has a window of chunks on its way
constexpr std::size_t kMessageOverhead = 1024;  // of a change and its message, beside key and value
constexpr Duration kOwnerLookMax = 100ms;       // a time to live that was set meanwhile is seen by then

ReplicatedLimits fitting(ReplicatedLimits limits, std::size_t payload_max) {
  const std::size_t room = payload_max - std::min(payload_max, kMessageOverhead + kKeyBytesMax);
  limits.value_bytes_max = std::min(limits.value_bytes_max, room);
  return limits;
}

Task<void> run(std::shared_ptr<Owner> keep, Task<void> work) {
  (void)keep;  // as long as its work runs
  co_await work;
}

}  // namespace

Owner::Owner(Agent& agent, const std::string& name, const ReplicatedLimits& limits, OwnerTable::Encode encode)
    : agent_(agent),
      topic_(agent.name() + "." + name),
      table_(topic_, agent.mesh().peer().options().instance, limits, encode),
      changes_(
          agent.metrics().counter("weft_replicated_changes_total", "Changes of replicated values", {{"map", topic_}})),
      refused_(agent.metrics().counter("weft_replicated_refused_total",
                                       "Values that a limit of their replicated map refused", {{"map", topic_}})),
      snapshots_(
          agent.metrics().counter("weft_replicated_snapshots_total", "Snapshots given to replicas", {{"map", topic_}})),
      entries_(agent.metrics().gauge("weft_replicated_entries", "Entries of a replicated map", {{"map", topic_}})),
      bytes_(agent.metrics().gauge("weft_replicated_bytes", "Keys and values of a replicated map, encoded",
                                   {{"map", topic_}})) {}

std::shared_ptr<Owner> Owner::start(Agent& agent, const std::string& name, ReplicatedLimits limits,
                                    OwnerTable::Encode encode) {
  limits = fitting(limits, agent.mesh().peer().options().limits.payload_max);
  std::shared_ptr<Owner> owner(new Owner(agent, name, limits, encode));
  Retention retention;  // the last message tells who comes late that its subscription has effect
  retention.topics_max = 1;
  retention.bytes_max = kPartBytes + limits.value_bytes_max + kMessageOverhead + kKeyBytesMax;
  agent.publishes(owner->topic_, retention);
  owner->serve(name);
  agent.loop().post([owner] { owner->agent_.spawn(run(owner, owner->begin())); });
  return owner;
}

void Owner::serve(const std::string& name) {
  agent_.serve_stream(
      name, [owner = shared_from_this()](Value, Call&, Stream& to) { return owner->give_snapshot(to); },
      "The whole of a replicated map, for its replicas");
}

Task<void> Owner::begin() {
  running_ = true;
  agent_.every(kBeat, [owner = shared_from_this()] { owner->flush(); });
  flush();
  watch_times();
  co_return;
}

Result<void> Owner::set(std::string_view key, Held value, Duration time_to_live) {
  auto done = table_.set(key, std::move(value), time_to_live, agent_.loop().now());
  if (!done) refused_.add();
  flush_soon();
  watch_times();
  return done;
}

bool Owner::erase(std::string_view key) {
  const bool erased = table_.erase(key);
  flush_soon();
  return erased;
}

/// Changes of one turn go together.
void Owner::flush_soon() {
  if (!running_) return;
  while (table_.untold_bytes() >= kPartBytes) publish_next();
  if (table_.untold() == 0 || std::exchange(flush_is_due_, true)) return;
  auto work = [](std::shared_ptr<Owner> owner) -> Task<void> {
    owner->flush();
    co_return;
  };
  agent_.spawn(work(shared_from_this()));
}

void Owner::flush() {
  flush_is_due_ = false;
  table_.expire(agent_.loop().now());
  do {
    publish_next();
  } while (table_.untold() > 0);
}

void Owner::publish_next() {
  const Changes message = table_.take_untold();
  changes_.add(message.changes.size());
  entries_.set(static_cast<double>(table().size()));
  bytes_.set(static_cast<double>(table().bytes()));
  if (auto sent = agent_.publish(topic_, message); !sent)
    agent_.log().error("changes of a replicated map were not published", sent.error(), {{"map", topic_}});
}

void Owner::watch_times() {
  if (!running_ || watches_times_ || table().next_expiry() == TimePoint::max()) return;
  watches_times_ = true;
  agent_.spawn(run(shared_from_this(), end_in_time()));
}

Task<void> Owner::end_in_time() {
  while (table().next_expiry() != TimePoint::max()) {
    const Duration left = table().next_expiry() - agent_.loop().now();
    co_await agent_.sleep(std::clamp<Duration>(left, 1ms, kOwnerLookMax));
    table_.expire(agent_.loop().now());
    flush_soon();
  }
  watches_times_ = false;
}

Task<Result<SnapshotEnd>> Owner::give_snapshot(Stream& to) {
  if (giving_ >= kSnapshotsMax)
    co_return Error(codes::queue_full, topic_ + ": " + std::to_string(giving_) + " snapshots are under way");
  struct Giving {
    explicit Giving(std::size_t& n) : count(n) { ++count; }
    ~Giving() { --count; }
    std::size_t& count;
  } giving(giving_);
  std::string last;
  for (;;) {
    const SnapshotPart part = table_.part_after(last, agent_.loop().now());
    if (part.entries.empty()) break;
    last = part.entries.back().key;
    auto written = co_await to.write(part);
    if (!written) co_return written.error();
  }
  flush();  // what the end names is on its way
  snapshots_.add();
  co_return table_.end();
}

}  // namespace weft::replica
