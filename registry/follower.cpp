#include "registry/follower.hpp"

#include <algorithm>

namespace weft::registry {
namespace {
constexpr Duration kRetryMin = 100ms, kRetryMax = 300ms;
constexpr Duration kProbe = 400ms;  // patience with a peer that may have come back a moment ago
constexpr Duration kSnapshot = 5s;  // a large one takes its time
constexpr Duration kQuickBeat = 100ms;
constexpr unsigned kQuickBeats = 3;
constexpr unsigned kPatientEvery = 3;  // each third attempt waits longer, for peers that are far away
}  // namespace

Follower::Follower(Loop& loop, peer::Peer& peer, Book& book, std::string endpoint, observe::Metrics& metrics,
                   observe::Log& log, Hooks hooks)
    : peer_(peer),
      book_(book),
      endpoint_(std::move(endpoint)),
      log_(log),
      hooks_(std::move(hooks)),
      up_gauge_(metrics.gauge("weft_registry_peer_up", "1 while the registry at this address answers",
                              {{"peer", endpoint_}})),
      resyncs_(metrics.counter("weft_registry_resyncs_total",
                               "Snapshots taken from this peer again, because its copy here did not follow",
                               {{"peer", endpoint_}})),
      timer_(loop) {}

Follower::~Follower() = default;

void Follower::wake() {
  if (!waker_.complete(true)) woken_ = true;
}

Task<void> Follower::run() {
  for (;;) {
    woken_ = false;
    Outcome outcome = co_await beat();
    if (outcome == Outcome::behind) outcome = co_await sync();
    if (outcome == Outcome::itself) co_return;
    if (!woken_) co_await pause(delay_after(outcome));
  }
}

Task<void> Follower::pause(Duration delay) {
  Completion<bool> over;
  waker_ = over.completer();
  timer_.start(delay, [this] { waker_.complete(true); });
  co_await over;
  timer_.stop();
}

Task<Follower::Outcome> Follower::beat() {
  const Duration third = book_.table().options().lease / 3;
  const bool patient = up_ || attempts_ % kPatientEvery == kPatientEvery - 1;
  auto answer = co_await peer_.call_at(endpoint_, "registry.beat", wire::Payload::of(Value()),
                                       patience(patient ? third : std::min(third, kProbe)));
  auto position = answer ? answer->as<wire::RenewReply>() : Result<wire::RenewReply>(answer.error());
  if (!position) {
    lost(position.error().message);
    co_return Outcome::silent;
  }
  const Replica* replica = registry_.empty() ? nullptr : book_.replica(registry_);
  if (!up_ || replica == nullptr || replica->term() != position->term) co_return Outcome::behind;
  const bool missed = promised_term_ == position->term && replica->sequence() < promised_;
  if (missed) co_return Outcome::behind;
  promised_ = position->sequence;
  promised_term_ = position->term;
  if (replica->sequence() < promised_) quick_beats_ = std::max(quick_beats_, 1U);
  book_.heard(registry_);
  co_return Outcome::follows;
}

Task<Follower::Outcome> Follower::sync() {
  auto answer = co_await peer_.call_at(endpoint_, "registry.replica", wire::Payload::of(Value()), patience(kSnapshot));
  auto snapshot = answer ? answer->as<wire::Snapshot>() : Result<wire::Snapshot>(answer.error());
  if (!snapshot) {
    lost(snapshot.error().message);
    co_return Outcome::silent;
  }
  co_return take(*snapshot);
}

Follower::Outcome Follower::take(const wire::Snapshot& snapshot) {
  if (snapshot.term == book_.own_position().term) {
    log_.info("a peer's address is this registry's own", {{"peer", endpoint_}});
    up_gauge_.set(1);
    return Outcome::itself;
  }
  if (!hooks_.may_follow(*this, snapshot.registry))
    return refuse(Error(codes::bad_value, "the registry of " + snapshot.registry.substr(0, kNameMax) +
                                              " is followed by another of its addresses already"));
  if (auto taken = book_.replace(snapshot); !taken) return refuse(taken.error());
  registry_ = snapshot.registry;
  promised_ = snapshot.sequence;
  promised_term_ = snapshot.term;
  quick_beats_ = kQuickBeats;
  attempts_ = 0;
  complaint_.clear();
  listen_to(snapshot);
  if (std::exchange(synced_once_, true)) resyncs_.add();
  if (!std::exchange(up_, true))
    log_.info("following a peer", {{"peer", endpoint_},
                                   {"registry", registry_},
                                   {"instances", static_cast<std::int64_t>(snapshot.records.size())}});
  up_gauge_.set(1);
  hooks_.changed();
  return Outcome::follows;
}

void Follower::listen_to(const wire::Snapshot& snapshot) {
  if (up_ && publisher_ == snapshot.publish_endpoint) return;
  // After a cut the old connection may sleep for seconds before it tries again.
  if (!publisher_.empty()) peer_.disconnect_publisher(publisher_);
  publisher_ = snapshot.publish_endpoint;
  if (publisher_.empty()) return;
  peer_.same_process(publisher_, endpoint_);
  peer_.connect_publisher(publisher_);
}

Follower::Outcome Follower::refuse(const Error& error) {
  if (complaint_ != error.message) log_.error("a peer's records are not taken", error, {{"peer", endpoint_}});
  complaint_ = error.message;
  up_ = false;
  up_gauge_.set(0);
  return Outcome::refused;
}

void Follower::lost(const std::string& why) {
  ++attempts_;
  if (std::exchange(up_, false))
    log_.warn("a peer is silent", {{"peer", endpoint_}, {"registry", registry_}, {"error", why}});
  up_gauge_.set(0);
  // The link may wait long before its next attempt to connect; a new one begins at once.
  peer_.drop_peer(endpoint_, "it does not answer");
}

Duration Follower::delay_after(Outcome outcome) {
  const Duration third = book_.table().options().lease / 3;
  if (outcome == Outcome::refused) return book_.table().options().lease;
  if (outcome == Outcome::silent) return std::min(kRetryMax, kRetryMin * (1U << std::min(attempts_ - 1, 3U)));
  if (quick_beats_ == 0) return third;
  --quick_beats_;
  return std::min(third, kQuickBeat);
}

calls::CallOptions Follower::patience(Duration timeout) const {
  calls::CallOptions options;
  options.timeout = timeout;
  return options;
}

}  // namespace weft::registry
