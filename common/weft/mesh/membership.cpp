#include "weft/mesh/membership.hpp"

#include <algorithm>

#include "weft/base/backoff.hpp"

namespace weft::mesh {
namespace {
constexpr Duration kCallTimeout = 1s;
constexpr Duration kRetryMin = 50ms, kRetryMax = 500ms;
constexpr Duration kHomeAway = 5s;  // before the first registration: the own host's registry may still be starting
constexpr Duration kSettle =
    200ms;  // after a snapshot: changes may have come before the subscription reached the registry
constexpr Duration kObserve = 2s;  // how often a process that only looks takes a snapshot
constexpr Duration kUpdateDelay = 10ms;
constexpr Duration kTellPause = 100ms;  // however fast circuits change: this much of a registry's time for each process
}  // namespace

Membership::Membership(Loop& loop, Peer& peer, Directory& directory, const MeshOptions& options,
                       observe::Metrics& metrics, observe::Log& log, Hooks hooks)
    : loop_(loop),
      peer_(peer),
      directory_(directory),
      options_(options),
      log_(log),
      hooks_(std::move(hooks)),
      update_(loop),
      announcement_(loop),
      resyncs_(
          metrics.counter("weft_directory_resyncs_total", "Snapshots taken because the copy of the records had a gap")),
      registrations_(metrics.counter("weft_registrations_total", "Times this process registered")),
      registered_(metrics.gauge("weft_registered", "1 while a registry holds this process's lease")) {}

void Membership::start() {
  subscribe();
  tasks_.spawn(run());
}

void Membership::subscribe() {
  auto pattern = TopicPattern::parse(kChangesTopic);
  changes_ = peer_.subscribe(*pattern, [this](const Event& event) { on_changes(event); });
}

CallOptions Membership::options(Duration timeout) const {
  CallOptions call;
  call.timeout = timeout;
  return call;
}

/// For a renewal, and for one more try: when both take this long there is time left to register elsewhere before the
/// lease ends, so that a registry that hangs is not noticed by anybody. Where there is no other registry both tries may
/// take the rest of the lease: a busy registry is not asked again by everybody at once.
Duration Membership::patience() const {
  return std::clamp(lease_ / (options_.registries.size() > 1 ? 8 : 4), Duration(50ms), Duration(kCallTimeout));
}

Task<void> Membership::run() {
  Backoff retry(kRetryMin, kRetryMax);
  while (!stopped_) {
    if (co_await connect()) {
      retry.reset();
      complained_ = false;
      if (co_await keep()) continue;
    }
    if (stopped_) break;
    const bool may_leave_home = home_away_ && loop_.now() - home_lost_ > (joined_ ? patience() : kHomeAway);
    registry_ = may_leave_home ? (registry_ + 1) % options_.registries.size() : 0;
    co_await sleep_for(loop_, retry.next());
  }
}

Task<bool> Membership::connect() {
  const std::string registry = options_.registries[registry_];
  if (std::exchange(slot_taken_, false)) co_await take_slot_back(registry);
  if (joined_ && leased_by_ == registry && !changed_) {
    const bool kept = co_await keep_lease();
    if (kept || joined_) co_return kept;  // else it forgot this process
  }
  if (options_.join) {
    const bool joined = co_await join(registry);
    if (!joined) co_return false;
  }
  const bool done = co_await refresh();
  if (done && home()) home_away_ = false;
  co_return done;
}

/// A renewal that was not answered may only be late. It is far cheaper than a registration, which every process of the
/// mesh gets to know, and than a snapshot.
Task<bool> Membership::keep_lease() {
  const bool renewed = co_await renew_once();
  if (!renewed) co_return false;
  if (home()) home_away_ = false;
  registered_.set(1);
  if (hooks_.joined) hooks_.joined(epoch_);
  co_return true;
}

Task<bool> Membership::join(std::string registry) {
  changed_ = false;
  InstanceRecord record = peer_.record();
  record.tags = options_.tags;
  record.tags["weft"] = WEFT_VERSION;  // the release, beside the agent's own version
  record.admin = options_.admin;
  record.config_hash = options_.config_hash;
  record.health = health_;
  record.health_text = health_text_;
  record.circuits = hooks_.reports();
  record.epoch = epoch_;  // another registry may have given it: the next one has to be higher
  const Duration timeout = joined_ && home_away_ && home() ? patience() : kCallTimeout;
  ++joining_;
  auto answer = co_await peer_.call_at(registry, "registry.register", Payload::of(record), options(timeout));
  --joining_;
  auto reply = answer ? answer->as<RegisterReply>() : Result<RegisterReply>(answer.error());
  if (!reply) {
    failed("cannot register at " + registry, reply.error());
    co_return false;
  }
  joined_ = true;
  leased_by_ = registry;
  epoch_ = reply->epoch;
  lease_ = std::chrono::microseconds(std::max<std::int64_t>(reply->lease_us, 30'000));
  registrations_.add();
  registered_.set(1);
  peer_.set_epoch(epoch_);
  if (changed_) update();
  if (record.health != health_ || record.health_text != health_text_) announce();  // changed since it was sent
  if (hooks_.joined) hooks_.joined(epoch_);
  co_return true;
}

Task<void> Membership::take_slot_back(std::string registry) {
  const DeregisterRequest request{"", options_.peer.slot, "the process that owns the slot registers again"};
  auto done = co_await peer_.call_at(registry, "registry.deregister", Payload::of(request), options(kCallTimeout));
  if (!done) failed("cannot take back the slot " + options_.peer.slot + " at " + registry, done.error());
}

Task<bool> Membership::refresh() {
  const std::string registry = options_.registries[registry_];
  auto answer = co_await peer_.call_at(registry, "registry.snapshot", Payload::of(Value()), options(kCallTimeout));
  auto snapshot = answer ? answer->as<Snapshot>() : Result<Snapshot>(answer.error());
  if (!snapshot) {
    failed("no snapshot from " + registry, snapshot.error());
    co_return false;
  }
  follow(*snapshot);
  // A registry that was just restarted may not know everybody yet: what it lacks is kept for one lease.
  const Ulid before = std::exchange(term_, snapshot->term);
  if (!before.is_nil() && before != term_) settle_ = loop_.now() + lease_;
  const bool settling = settle_ && loop_.now() < *settle_;
  if (!settling) settle_.reset();
  directory_.replace(*snapshot, settling);
  co_return true;
}

void Membership::follow(const Snapshot& snapshot) {
  const bool local = !snapshot.publish_local.empty() && snapshot.registry == options_.peer.host;
  const std::string& endpoint = local ? snapshot.publish_local : snapshot.publish_endpoint;
  if (endpoint == changes_endpoint_) return;
  if (!changes_endpoint_.empty()) {
    changes_.close();  // what that registry publishes from now on is not missed, but not subscribed to
    peer_.disconnect_publisher(changes_endpoint_);
    subscribe();
  }
  changes_endpoint_ = endpoint;
  if (endpoint.empty()) return;
  peer_.same_process(endpoint, options_.registries[registry_]);
  peer_.connect_publisher(endpoint);
}

Task<bool> Membership::keep() {
  co_await sleep_for(loop_, kSettle);
  if (!options_.join) co_await refresh();  // else the renewal says whether changes were missed
  while (!stopped_) {
    const bool snapshot = !options_.join || (settle_ && loop_.now() >= *settle_);
    if (snapshot ? !co_await refresh() : !co_await renew_once()) {
      registered_.set(0);
      co_return false;
    }
    if (!home() && co_await connect_home()) co_return true;
    co_await sleep_for(loop_, options_.join ? lease_ / 3 : kObserve);
  }
  co_return false;
}

Task<bool> Membership::connect_home() {
  auto alive = co_await peer_.call_at(options_.registries[0], "registry.snapshot", Payload::of(Value()),
                                      options(kCallTimeout / 4));
  if (!alive) co_return false;
  registry_ = 0;  // without leaving first: the other registry yields to the higher epoch, and nobody sees a gap
  co_return true;
}

Task<Result<RenewReply>> Membership::renew() {
  const RenewRequest request{options_.peer.instance, epoch_, health_, health_text_, hooks_.reports()};
  auto answer = co_await peer_.call_at(options_.registries[registry_], "registry.renew", Payload::of(request),
                                       options(patience()));
  if (!answer) co_return answer.error();
  co_return answer->as<RenewReply>();
}

Task<bool> Membership::renew_once() {
  const std::string registry = options_.registries[registry_];
  const std::uint64_t epoch = epoch_;
  auto reply = co_await renew();
  if (!reply) {
    // A registration with a changed record overtook this renewal, and gave the instance another epoch.
    if (reply.error().is(codes::unknown_instance) && (joining_ > 0 || epoch_ != epoch)) co_return true;
    joined_ = !reply.error().is(codes::unknown_instance) && joined_;
    failed("the lease at " + registry + " was not renewed", reply.error());
    co_return false;
  }
  if (!directory_.follows(reply->term, reply->sequence)) co_await resync();
  co_return true;
}

Task<void> Membership::resync() {
  if (resyncing_) co_return;
  resyncing_ = true;
  resyncs_.add();
  co_await refresh();
  resyncing_ = false;
}

void Membership::on_changes(const Event& event) {
  auto changes = event.payload.as<Changes>();
  if (!changes) return log_.warn("changes of the registry cannot be read", {{"error", changes.error().message}});
  if (!directory_.filled() || directory_.apply(*changes) || resyncing_) return;
  tasks_.spawn(resync());
}

void Membership::failed(const std::string& what, const Error& error) {
  last_error_ = error;
  if (home() && !std::exchange(home_away_, true)) home_lost_ = loop_.now();
  if (error.is(codes::fenced) && options_.owns_slot) {
    slot_taken_ = true;
    joined_ = false;  // register again
    if (hooks_.fenced) hooks_.fenced();
  } else if (error.is(codes::fenced) && !std::exchange(fenced_, true)) {
    stopped_ = true;
    log_.error("a newer instance has taken this one's slot", error, {{"slot", options_.peer.slot}});
    if (hooks_.fenced) hooks_.fenced();
    return;
  }
  if (!std::exchange(complained_, true))
    log_.warn("no registry", {{"what", what}, {"error", error.message}, {"code", error.code}});
  if (hooks_.lost) hooks_.lost(what + ": " + error.message);
}

void Membership::update() {
  changed_ = true;  // also while a registration with the former record is on its way
  if (!joined_ || stopped_) return;
  update_.start(kUpdateDelay, [this] {
    if (stopped_) return;
    tasks_.spawn(
        [](Membership& self) -> Task<void> { co_await self.join(self.options_.registries[self.registry_]); }(*this));
  });
}

/// A beat that does not wait for its time. Whatever becomes of it, the next one has the same news.
void Membership::announce() {
  if (!joined_ || stopped_ || announcement_.running()) return;
  announcement_.start(std::max(kUpdateDelay, Duration(announced_at_ + kTellPause - loop_.now())), [this] {
    announced_at_ = loop_.now();
    tasks_.spawn([](Membership& self) -> Task<void> { (void)co_await self.renew(); }(*this));
  });
}

void Membership::set_health(HealthState state, std::string text) {
  if (state == health_ && text == health_text_) return;
  health_ = state;
  health_text_ = std::move(text);
  announce();
}

Task<void> Membership::leave(std::string reason) {
  stopped_ = true;
  if (!std::exchange(joined_, false)) co_return;
  registered_.set(0);
  const DeregisterRequest request{options_.peer.instance.to_string(), "", std::move(reason)};
  (void)co_await peer_.call_at(options_.registries[registry_], "registry.deregister", Payload::of(request),
                               options(500ms));
}

}  // namespace weft::mesh
