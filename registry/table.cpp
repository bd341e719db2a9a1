#include "registry/table.hpp"

#include <algorithm>
#include <tuple>

namespace weft::registry {
namespace {

constexpr std::uint64_t kKnownPast = 1'760'000'000;    // seconds: October 2025, before this was written
constexpr std::uint64_t kAheadMax = 1'000'000'000;     // seconds, 32 years: a clock is not wrong by more
constexpr std::uint64_t kRoom = 0x1000'0000;           // registrations that are left above the highest that is believed
constexpr std::uint64_t kHighest = kEpochMax - kRoom;  // so that no epoch that was sent uses up the rest

std::uint64_t seconds_of(WallTime now) {
  const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_us(now) / 1'000'000));
  return std::min(seconds, kHighest);
}
std::uint64_t plausible_max(WallTime now) {
  return std::min(std::max(seconds_of(now), kKnownPast) + kAheadMax, kHighest);
}

}  // namespace

std::uint64_t Epochs::next(WallTime now) noexcept {
  last_ = std::max(last_ + 1, seconds_of(now));
  return last_;
}

bool Epochs::plausible(std::uint64_t epoch, WallTime now) const noexcept {
  return epoch <= std::max(last_, plausible_max(now));
}

void Epochs::observe(std::uint64_t epoch, WallTime now) noexcept {
  if (plausible(epoch, now)) last_ = std::max(last_, epoch);
}

void Epochs::restore(std::uint64_t last) noexcept {
  if (last < kEpochMax) last_ = std::max(last_, last);
}

bool older(const InstanceRecord& a, const InstanceRecord& b) noexcept {
  return std::tie(a.claim, a.started_us, a.epoch, a.registry) < std::tie(b.claim, b.started_us, b.epoch, b.registry);
}

// ---- what agents ask

void Table::restore(InstanceRecord record) {
  if (!epochs_.plausible(record.epoch, clock_.wall())) return;
  epochs_.observe(record.epoch, clock_.wall());
  if (!check_record(record, options_.mesh) || !check_room(record, nullptr) || find(record.instance) != nullptr) return;
  if (holder(record.slot) != nullptr) return;
  record.registry = options_.host;
  record.confirmed = false;
  put(std::move(record));
}

Result<const InstanceRecord*> Table::enter(InstanceRecord record, const InstanceRecord* rival) {
  record.circuits = fit_to_tell(std::move(record.circuits));
  if (auto good = check_record(record, options_.mesh); !good) return good.error();
  if (auto speaks = check_protocol(record); !speaks) return speaks.error();
  if (auto plausible = check_plausible(record); !plausible) return plausible.error();
  cut_start(record);
  const InstanceRecord* replaced = holder(record.slot);
  if (replaced != nullptr && replaced->instance == record.instance) replaced = nullptr;
  if (auto free = check_slot_free(record, replaced); !free) return free.error();
  if (auto free = check_slot_free(record, rival); !free) return free.error();
  if (auto room = check_room(record, replaced); !room) return room.error();

  if (replaced != nullptr) fence(replaced->instance, "replaced");
  fenced_.erase(record.instance);
  epochs_.observe(record.epoch, clock_.wall());
  const Ulid instance = record.instance;
  record.epoch = epochs_.next(clock_.wall());
  record.registry = options_.host;
  record.health_text = shortened(std::move(record.health_text));
  record.confirmed = true;
  put(std::move(record));
  return find(instance);
}

Result<void> Table::renew(const wire::RenewRequest& request) {
  const auto it = held_.find(request.instance);
  if (it == held_.end() || it->second.record.epoch != request.epoch) {
    if (it == held_.end() && fenced_.contains(request.instance))
      return Error(codes::fenced, "instance " + request.instance.to_string() +
                                      " was replaced by a newer one in slot '" + fenced_.at(request.instance) + "'");
    return Error(codes::unknown_instance,
                 "instance " + request.instance.to_string() + " with epoch " + std::to_string(request.epoch) +
                     " is not registered with the registry of " + options_.host,
                 "register again");
  }
  extend(it->second);
  InstanceRecord& record = it->second.record;
  confirm(record);
  std::string text = shortened(request.health_text);
  auto circuits = fit_to_tell(request.circuits);
  if (record.health == request.health && record.health_text == text && record.circuits == circuits) return {};
  bytes_ -= weight_of(record);
  record.health = request.health;
  record.health_text = std::move(text);
  record.circuits = std::move(circuits);
  if (bytes_ + weight_of(record) > options_.bytes_max) record.circuits.clear();  // a full registry still renews
  bytes_ += weight_of(record);
  pending_.changed(record.instance);
  return {};
}

bool Table::leave(const wire::DeregisterRequest& request) {
  const InstanceRecord* record = nullptr;
  if (!request.instance.empty()) {
    const auto id = Ulid::parse(request.instance);
    if (id) record = find(*id);
  } else {
    record = holder(request.slot);
  }
  if (record == nullptr) return false;
  remove(record->instance, request.reason.empty() ? "stopped" : shortened(request.reason));
  return true;
}

// ---- time, and other registries

void Table::yield_to(const InstanceRecord& foreign) {
  epochs_.observe(foreign.epoch, clock_.wall());
  const InstanceRecord* same = find(foreign.instance);
  if (same != nullptr && std::tie(same->epoch, same->registry) < std::tie(foreign.epoch, foreign.registry))
    remove(foreign.instance, "moved to the registry of " + foreign.registry);
  const InstanceRecord* rival = holder(foreign.slot);
  if (rival != nullptr && rival->instance != foreign.instance && older(*rival, foreign))
    fence(rival->instance, "replaced");
}

std::size_t Table::expire() {
  std::size_t expired = 0;
  for (const TimePoint now = clock_.now(); !leases_.empty() && leases_.begin()->first <= now; ++expired) {
    const Ulid instance = leases_.begin()->second;
    remove(instance,
           held_.at(instance).record.confirmed ? "lease expired" : "not renewed since the registry restarted");
  }
  return expired;
}

void Table::pardon() {
  for (auto& [instance, held] : held_) extend(held);
}

std::optional<TimePoint> Table::next_expiry() const {
  if (leases_.empty()) return std::nullopt;
  return leases_.begin()->first;
}

// ---- what is there

Delta Table::take() {
  return pending_.take([this](const Ulid& instance) { return find(instance); });
}

const InstanceRecord* Table::find(const Ulid& instance) const {
  const auto it = held_.find(instance);
  return it == held_.end() ? nullptr : &it->second.record;
}

const InstanceRecord* Table::holder(const std::string& slot) const {
  const auto it = slot.empty() ? by_slot_.end() : by_slot_.find(slot);
  return it == by_slot_.end() ? nullptr : find(it->second);
}

std::vector<InstanceRecord> Table::records() const {
  std::vector<InstanceRecord> all;
  all.reserve(held_.size());
  for (const auto& [instance, held] : held_) all.push_back(held.record);
  return all;
}

// ---- inside

Result<void> Table::check_slot_free(const InstanceRecord& record, const InstanceRecord* holder) const {
  if (holder == nullptr || holder->instance == record.instance) return {};
  // One that was replaced does not come back while its place is filled, or two would replace each other for ever.
  const bool earlier = std::tie(record.claim, record.started_us) < std::tie(holder->claim, holder->started_us);
  if (!earlier && !fenced_.contains(record.instance)) return {};
  return Error(codes::fenced, "slot '" + record.slot + "' is filled by the newer instance " +
                                  holder->instance.to_string() + " on host " + holder->host);
}

Result<void> Table::check_plausible(const InstanceRecord& record) const {
  const WallTime now = clock_.wall();
  const bool epoch = epochs_.plausible(record.epoch, now);
  if (epoch && record.claim >> kClaimBits <= plausible_max(now)) return {};
  return Error(codes::bad_value,
               "agent '" + record.agent + "': " +
                   (epoch ? "claim: " + std::to_string(record.claim) : "epoch: " + std::to_string(record.epoch)) +
                   " is higher than any that was given",
               "restart the agent; are the clocks of the hosts right?");
}

/// It would win the slot until that time comes. A re-registration keeps the start that the record has.
void Table::cut_start(InstanceRecord& record) {
  const std::int64_t now = to_us(clock_.wall());
  if (record.started_us <= now) return;
  const InstanceRecord* same = find(record.instance);
  record.started_us = same != nullptr ? std::min(same->started_us, now) : now;
  ++starts_cut_;
}

Result<void> Table::check_room(const InstanceRecord& record, const InstanceRecord* replaced) const {
  const InstanceRecord* same = find(record.instance);
  const std::size_t freed = (replaced != nullptr ? 1U : 0U) + (same != nullptr ? 1U : 0U);
  if (held_.size() + 1 > options_.instances_max + freed) {
    return Error(codes::table_full,
                 "the registry of " + options_.host + " holds " + std::to_string(held_.size()) +
                     " instances, and registry.instances_max is " + std::to_string(options_.instances_max),
                 "stop some instances or raise registry.instances_max");
  }
  const std::size_t freed_bytes =
      (replaced != nullptr ? weight_of(*replaced) : 0) + (same != nullptr ? weight_of(*same) : 0);
  if (bytes_ + weight_of(record) > options_.bytes_max + freed_bytes) {
    return Error(codes::table_full,
                 "the records at the registry of " + options_.host + " take " + std::to_string(bytes_) + " bytes (" +
                     std::to_string(held_.size()) + " instances), and its share of limits.payload_max_bytes is " +
                     std::to_string(options_.bytes_max),
                 "stop some instances, shorten their records, or raise limits.payload_max_bytes");
  }
  return {};
}

void Table::put(InstanceRecord record) {
  const Ulid instance = record.instance;
  Held& held = held_[instance];
  if (!held.record.instance.is_nil()) {
    bytes_ -= weight_of(held.record);
    by_slot_.erase(held.record.slot);
    if (!held.record.confirmed) --unconfirmed_;
  }
  held.record = std::move(record);
  bytes_ += weight_of(held.record);
  if (!held.record.slot.empty()) by_slot_[held.record.slot] = instance;
  if (!held.record.confirmed) ++unconfirmed_;
  extend(held);
  pending_.changed(instance);
}

void Table::extend(Held& held) {
  leases_.erase({held.until, held.record.instance});
  held.until = clock_.now() + options_.lease;
  leases_.insert({held.until, held.record.instance});
}

void Table::confirm(InstanceRecord& record) {
  if (record.confirmed) return;
  record.confirmed = true;
  --unconfirmed_;
  pending_.changed(record.instance);
}

void Table::remove(const Ulid& instance, std::string reason) {
  const auto it = held_.find(instance);
  const InstanceRecord& record = it->second.record;
  pending_.removed(removal_of(record, std::move(reason)));
  leases_.erase({it->second.until, instance});
  by_slot_.erase(record.slot);
  bytes_ -= weight_of(record);
  if (!record.confirmed) --unconfirmed_;
  held_.erase(it);
}

void Table::fence(const Ulid& instance, std::string reason) {
  if (fenced_.emplace(instance, held_.at(instance).record.slot).second) fenced_order_.push_back(instance);
  while (fenced_order_.size() > options_.fenced_max) {
    fenced_.erase(fenced_order_.front());
    fenced_order_.pop_front();
  }
  remove(instance, std::move(reason));
}

}  // namespace weft::registry
