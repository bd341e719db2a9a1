#include "weft/mesh/circuit_gossip.hpp"

#include <algorithm>
#include <cmath>

namespace weft::mesh {

std::optional<BreakerState> state_named(std::string_view name) noexcept {
  for (const auto state : {BreakerState::closed, BreakerState::open, BreakerState::half_open})
    if (to_string(state) == name) return state;
  return std::nullopt;
}

double hold_part(double unit) noexcept {
  constexpr double kFirst = 0.5, kSpread = 0.45, kSteep = 7;
  return kFirst + kSpread * std::log1p(unit * std::expm1(kSteep)) / kSteep;
}

// ---- told

void OutgoingReports::put(std::string_view target, const Ulid& instance, BreakerState state, TimePoint until) {
  std::erase_if(items_,
                [&](const Item& item) { return item.report.instance == instance && item.report.target == target; });
  if (items_.size() >= kCircuitNewsMax) items_.erase(items_.begin());
  items_.push_back({{std::string(target), instance, std::string(to_string(state)), ++number_}, until});
}

std::vector<CircuitNews> OutgoingReports::list(TimePoint now) {
  std::erase_if(items_, [&](const Item& item) { return item.until <= now; });
  std::vector<CircuitNews> out;
  for (const auto& item : items_) out.push_back(item.report);
  return out;
}

bool OutgoingReports::holds_open(std::string_view target, const Ulid& instance) const noexcept {
  return std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
    return item.report.instance == instance && item.report.target == target &&
           item.report.state != to_string(BreakerState::closed);
  });
}

// ---- heard

std::vector<CircuitNews> PeerReports::fresh(const InstanceRecord& record) {
  if (record.circuits.empty()) return {};
  std::uint64_t& seen = seen_[record.instance];
  std::vector<CircuitNews> out;
  std::uint64_t highest = seen;
  for (std::size_t i = 0; i < std::min(record.circuits.size(), kCircuitNewsMax); ++i) {
    const CircuitNews& report = record.circuits[i];
    if (report.number > seen) out.push_back(report);
    highest = std::max(highest, report.number);
  }
  seen = highest;
  return out;
}

void PeerReports::open(std::string_view target, const Ulid& instance, Opening opening) {
  const std::pair key(instance, std::string(target));
  if (openings_.size() < kItemsMax || openings_.contains(key)) openings_[key] = std::move(opening);
}

void PeerReports::closed(std::string_view target, const Ulid& instance) {
  openings_.erase({instance, std::string(target)});
}

const PeerReports::Opening* PeerReports::find(std::string_view target, const Ulid& instance, TimePoint now) const {
  if (openings_.empty()) return nullptr;
  const auto found = openings_.find({instance, std::string(target)});
  return found == openings_.end() || found->second.until <= now ? nullptr : &found->second;
}

}  // namespace weft::mesh
