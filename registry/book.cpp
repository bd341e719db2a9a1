#include "registry/book.hpp"

#include <algorithm>

namespace weft::registry {

Book::Book(const Clock& clock, Table::Options options, const Ulid& term)
    : clock_(clock), table_(clock, std::move(options)), own_feed_(term), all_feed_(term), last_tick_(clock.now()) {}

void Book::restore(InstanceRecord record) {
  if (record.registry == host()) return table_.restore(std::move(record));
  table_.epochs().observe(record.epoch, clock_.wall());
  const std::string registry = record.registry;
  if (!check_name("host name", registry)) return;
  Peer& of = peer(registry);
  const Ulid instance = record.instance;
  of.replica.restore(std::move(record));
  const auto held = of.replica.records().find(instance);
  if (held != of.replica.records().end()) view_.apply(registry, {{held->second}, {}});
}

// ---- what agents ask

Result<wire::RegisterReply> Book::enter(InstanceRecord record) {
  const InstanceRecord* rival = view_.holder(record.slot);
  if (rival != nullptr && rival->registry == host()) rival = nullptr;  // the table knows better what it holds itself
  auto entered = table_.enter(std::move(record), rival);
  if (!entered) return entered.error();
  const auto lease = std::chrono::duration_cast<std::chrono::microseconds>(table_.options().lease);
  return wire::RegisterReply{(*entered)->epoch, lease.count(), host()};
}

Result<wire::RenewReply> Book::renew(const wire::RenewRequest& request) {
  if (auto renewed = table_.renew(request); !renewed) return renewed.error();
  return wire::RenewReply{all_feed_.term(), all_feed_.sequence()};
}

// ---- what peers say

Result<void> Book::replace(const wire::Snapshot& snapshot) {
  if (snapshot.mesh != table_.options().mesh) {
    return Error(codes::wrong_mesh, "the registry of " + snapshot.registry.substr(0, kNameMax) + " serves mesh '" +
                                        snapshot.mesh.substr(0, kNameMax) + "', this one serves mesh '" +
                                        table_.options().mesh + "'");
  }
  if (auto named = check_name("host name", snapshot.registry); !named) return named;
  if (snapshot.registry == host()) {
    return Error(codes::bad_value, "another registry has the host name '" + host() + "' too",
                 "give each host a host.name of its own");
  }
  Peer& of = peer(snapshot.registry);
  take_in(snapshot.registry, of.replica.replace(snapshot));
  heard(snapshot.registry);
  return {};
}

Book::Followed Book::apply(const wire::Changes& changes) {
  const auto it = std::find_if(peers_.begin(), peers_.end(),
                               [&](const auto& entry) { return entry.second.replica.term() == changes.term; });
  if (it == peers_.end() || changes.term.is_nil()) return Followed::unknown;
  auto delta = it->second.replica.apply(changes);
  if (!delta) return Followed::gap;
  take_in(it->first, std::move(*delta));
  heard(it->first);
  return Followed::yes;
}

void Book::heard(const std::string& registry) {
  const auto it = peers_.find(registry);
  if (it != peers_.end()) it->second.until = clock_.now() + table_.options().lease;
}

const Replica* Book::replica(const std::string& registry) const {
  const auto it = peers_.find(registry);
  return it == peers_.end() ? nullptr : &it->second.replica;
}

Book::Peer& Book::peer(const std::string& registry) {
  const auto it = peers_.find(registry);
  if (it != peers_.end()) return it->second;
  const auto& options = table_.options();
  const auto plausible = [this](std::uint64_t epoch) { return table_.epochs().plausible(epoch, clock_.wall()); };
  Peer fresh{Replica({options.mesh, registry, options.instances_max, plausible}), clock_.now() + options.lease};
  return peers_.emplace(registry, std::move(fresh)).first->second;
}

void Book::take_in(const std::string& registry, Delta delta) {
  if (delta.empty()) return;
  for (const auto& record : delta.upserts) table_.yield_to(record);
  view_.apply(registry, delta);
  kept_.push_back({registry, std::move(delta)});
}

// ---- time

void Book::tick() {
  const TimePoint now = clock_.now();
  const Duration lease = table_.options().lease;
  if (now - last_tick_ > lease / 2) {
    table_.pardon();
    for (auto& [registry, peer] : peers_) peer.until = now + lease;
  }
  last_tick_ = now;
  leases_expired_ += table_.expire();
  expire_peers();
}

void Book::expire_peers() {
  for (auto it = peers_.begin(); it != peers_.end();) {
    if (it->second.until > clock_.now()) {
      ++it;
      continue;
    }
    take_in(it->first, it->second.replica.clear("registry of " + it->first + " unreachable"));
    it = peers_.erase(it);
  }
}

TimePoint Book::next_due() const {
  TimePoint due = last_tick_ + table_.options().lease / 4;  // half of what tick() takes for sleep
  if (const auto expiry = table_.next_expiry()) due = std::min(due, *expiry);
  for (const auto& [registry, peer] : peers_) due = std::min(due, peer.until);
  return due;
}

// ---- what to publish and to keep

Book::Output Book::flush() {
  Output out;
  Delta own = table_.take();
  view_.apply(host(), own);
  out.kept = std::exchange(kept_, {});
  if (!own.empty()) out.kept.push_back({host(), own});
  out.own = own_feed_.number(std::move(own));
  out.all = all_feed_.number(view_.take());
  return out;
}

wire::Snapshot Book::snapshot() const {
  wire::Snapshot snapshot{table_.options().mesh, host(), all_feed_.term(), all_feed_.sequence(), {}, {}, {}};
  view_.each([&](const InstanceRecord& record) { snapshot.records.push_back(record); });
  return snapshot;
}

wire::Snapshot Book::own_snapshot() const {
  return {table_.options().mesh, host(), own_feed_.term(), own_feed_.sequence(), {}, {}, table_.records()};
}

std::vector<InstanceRecord> Book::kept() const {
  auto records = table_.records();
  for (const auto& [registry, peer] : peers_)
    for (const auto& [instance, record] : peer.replica.records()) records.push_back(record);
  return records;
}

}  // namespace weft::registry
