// Balancer: which instance takes a call: by who is open, where, how busy, and how fast by measured round trips. Pure:
// no sockets, no clock; chance is a parameter. Loop-bound.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/policy/breaker.hpp"
#include "weft/policy/policy.hpp"
#include "weft/policy/silence.hpp"

namespace weft::policy {

/// What all methods of one instance share.
struct InstanceState {
  Ulid id;
  std::uint64_t place = 0;  ///< hash of its slot: what replaces it there gets the same keys
  std::string host;
  bool local = false;         ///< on the own host
  bool healthy = true;        ///< not critical by its own word
  std::string health_text{};  ///< "critical: the disk is full"; empty while it is passing
  bool draining = false;      ///< it answered so: goes last until its record changes
  double weight = 1;          ///< its share among equals; above 0; set by set_weight()
  double burden = 1;          ///< 1 / weight
  std::uint32_t in_flight = 0;
  bool watched = false;  ///< by Liveness
  Silence silence;

  void set_weight(double share) noexcept {
    weight = share;
    burden = 1 / share;
  }
};

/// Another caller, which reports on its circuits.
struct ReportingCaller {
  Ulid instance;
  std::string name;  ///< "digest@alpha"
};

/// What calls of one method to one instance were like.
struct TargetStats {
  std::shared_ptr<InstanceState> instance_state;
  Breaker breaker;
  double round_trip = 0;  ///< seconds, moving average; 0: not measured
  double errors = 0;      ///< moving average, 0 to 1
  TimePoint measured{};   ///< when last
  std::uint32_t outstanding = 0;
  double turn = 0;                                     ///< of round_robin
  std::shared_ptr<const ReportingCaller> reported_by;  ///< whose word opened the circuit last; null: nobody's

  /// A call ended after `took`. The longer ago the last measure, the more this one counts.
  void measure(TimePoint now, bool failed, Duration took) noexcept;
  /// It counts as not measured.
  void forget() noexcept { round_trip = errors = 0; }
};

/// ", as digest@alpha said"; nothing when own calls opened it.
std::string reported_by(const TargetStats& stats);

/// One call that looks for an instance.
struct Selector {
  Balance balance = Balance::nearest;
  std::string_view host;                   ///< only there; empty: anywhere
  std::optional<Ulid> instance;            ///< only this one
  std::string_view key;                    ///< of hash; without one it is nearest
  std::span<const std::uint64_t> avoid{};  ///< Ulid::short_id() of those it was sent to already: they go last
};

/// Why each one was or was not taken.
struct Explanation {
  Ulid instance;
  std::string host;
  bool local = false, chosen = false;
  bool asked_for = true;  ///< of the host and instance that the call names, when it does
  BreakerState breaker = BreakerState::closed;
  std::uint32_t in_flight = 0;
  double round_trip = 0, errors = 0;
  double cost = 0;     ///< seconds it is expected to cost, by what was decided; 0: not looked at
  std::string reason;  ///< "not on host beta", "costs less: 0.3 ms", "circuit open"
};

/// By what an instance was chosen.
enum class WhyChosen : std::uint8_t { none, only, probe, nearest, turn, two, hash };
inline constexpr std::size_t kWhyChosenCount = static_cast<std::size_t>(WhyChosen::hash) + 1;
std::string_view to_string(WhyChosen why) noexcept;

struct Choice {
  enum class Refused : std::uint8_t { no, nobody, circuit_open };
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::size_t index = kNone;  ///< into the tracks
  Refused refused = Refused::nobody;
  WhyChosen why = WhyChosen::none;
};

/// A remote instance beats a local one when the local one is slower by both.
inline constexpr double kLocalFactor = 8;
inline constexpr double kLocalMargin = 0.005;  ///< seconds
/// An instance without a measure is taken for as fast as this, until it has a call.
inline constexpr double kRoundTripAssumed = 0.001;  ///< seconds
/// What a failed call is taken to cost.
inline constexpr double kFailureCost = 1.0;  ///< seconds
/// What is known of an instance counts a quarter after this long without a call, and ever less from then on: so one
/// that was slow or failed is tried again, by one call at a time.
inline constexpr Duration kForget = 2s;
/// Round trips that differ by less than this factor, or are shorter than kFast, are the same.
inline constexpr double kSame = 2, kFast = 0.001;
/// Of the mean of calls in flight, before hash takes the next instance.
inline constexpr double kHashLoad = 1.25;

/// Decides, and changes nothing but the turns of round_robin. `chance`: 64 random bits; or, but for random_two, a
/// number of turns times 2^64 over the golden ratio: then equals take turns. No allocation.
Choice choose(std::span<TargetStats> stats_list, const Policy& policy, const Selector& ask, TimePoint now,
              std::uint64_t chance);
/// The same decision, told; the same code runs. Changes nothing.
std::vector<Explanation> explain(std::span<const TargetStats> stats_list, const Policy& policy, const Selector& ask,
                                 TimePoint now, std::uint64_t chance);

}  // namespace weft::policy
