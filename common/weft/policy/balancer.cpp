#include "weft/policy/balancer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "weft/base/hash.hpp"

namespace weft::policy {
namespace {

constexpr double kEach = 0.125;  // how much one call counts in a moving average, at least

/// Who is looked at first: those of a higher tier only when there is nobody below.
enum Tier : std::uint8_t { fine, second_choice, last_choice, out };

std::size_t below(std::uint64_t chance, std::size_t bound) noexcept {  // Lemire's multiplication, of the upper bits
  return static_cast<std::size_t>(((chance >> 32) * bound) >> 32);
}

/// How much a measure still counts.
double known_after(Duration idle) noexcept {
  if (idle < kForget / 64) return 1;
  const double x = static_cast<double>(idle.count()) / static_cast<double>(kForget.count());
  return 1 / ((1 + x * x) * (1 + x * x));
}

/// Weighted rendezvous hashing (Mosharaf et al.; draft-ietf-bess-weighted-hrw).
double rendezvous(std::uint64_t key, const InstanceState& instance_state) noexcept {
  const double unit =
      (static_cast<double>(splitmix64(key ^ instance_state.place) >> 11) + 0.5) / 9007199254740992.0;  // 2^53
  return -instance_state.weight / std::log(unit);
}

class Decision {
 public:
  Decision(std::span<const TargetStats> stats_list, const Policy& policy, const Selector& ask, TimePoint now,
           std::uint64_t chance, std::vector<Explanation>* why) noexcept
      : tracks_(stats_list), policy_(policy), ask_(ask), now_(now), chance_(chance), why_(why) {}

  Choice run() {
    look();
    if (best_tier_ == out) return {Choice::kNone, refused_};
    WhyChosen why = WhyChosen::probe;
    const std::size_t index = probe_ != Choice::kNone ? probe_ : pick(why);
    if (why_) (*why_)[index].chosen = true;
    return {index, Choice::Refused::no, why};
  }
  bool eligible(std::size_t i) const noexcept {
    return i < kMasked ? ((masks_[best_tier_] >> i) & 1) != 0 : tier(tracks_[i]) == best_tier_;
  }
  /// Nothing is to be decided: the usual case.
  bool only_one() const noexcept {
    if (tracks_.size() != 1 || !ask_.host.empty() || ask_.instance || !ask_.avoid.empty()) return false;
    const TargetStats& stats = tracks_[0];
    return stats.instance_state->healthy && !stats.instance_state->draining && stats.breaker.admits_all();
  }
  bool by_turns() const noexcept { return probe_ == Choice::kNone && ask_.balance == Balance::round_robin; }

 private:
  bool wanted(const InstanceState& instance_state) const noexcept {
    return (ask_.host.empty() || instance_state.host == ask_.host) &&
           (!ask_.instance || instance_state.id == *ask_.instance);
  }
  bool avoided(const InstanceState& instance_state) const noexcept {
    return !ask_.avoid.empty() &&
           std::find(ask_.avoid.begin(), ask_.avoid.end(), instance_state.id.short_id()) != ask_.avoid.end();
  }
  Tier tier(const TargetStats& stats) const noexcept {
    const InstanceState& instance_state = *stats.instance_state;
    if (!wanted(instance_state) || !stats.breaker.admits(policy_.breaker, now_)) return out;
    if (instance_state.draining) return last_choice;
    const bool fit = instance_state.healthy && !instance_state.silence.silent(now_);
    return !fit || avoided(instance_state) ? second_choice : fine;
  }

  /// Who can take it at all, and what is known of them together.
  void look() {
    const bool anybody = ask_.host.empty() && !ask_.instance && ask_.avoid.empty();
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      const TargetStats& stats = tracks_[i];
      if (!anybody && !wanted(*stats.instance_state)) continue;
      const InstanceState& instance_state = *stats.instance_state;
      const bool plain =
          anybody && instance_state.healthy && !instance_state.draining && !instance_state.silence.pinging();
      const Tier t = plain && stats.breaker.admits(policy_.breaker, now_) ? fine : tier(stats);
      if (t == out) {
        refused_ = Choice::Refused::circuit_open;
        continue;
      }
      best_tier_ = std::min(best_tier_, t);
      if (i < kMasked) masks_[t] |= std::uint64_t{1} << i;
      if (stats.round_trip > 0 && (typical_ == 0 || stats.round_trip < typical_)) typical_ = stats.round_trip;
      if (t == fine && probe_ == Choice::kNone && stats.breaker.wants_probe(policy_.breaker, now_)) probe_ = i;
    }
    if (typical_ == 0) typical_ = kRoundTripAssumed;
    if (why_) tell_all();
  }

  /// Seconds that a call is expected to take there, failures counted as time. One that does not answer a ping takes at
  /// least as long as it has not.
  double cost(const TargetStats& stats) const noexcept {
    const double seconds = measured_cost(stats);
    const Silence& silence = stats.instance_state->silence;
    return silence.pinging() ? std::max(seconds, to_seconds(silence.unanswered(now_))) : seconds;
  }
  double measured_cost(const TargetStats& stats) const noexcept {
    if (stats.outstanding > 0)
      return (stats.round_trip > 0 ? stats.round_trip : typical_) + stats.errors * kFailureCost;
    if (stats.round_trip == 0) return std::min(typical_, kRoundTripAssumed);
    return known_after(now_ - stats.measured) * (stats.round_trip + stats.errors * kFailureCost);
  }

  std::size_t pick(WhyChosen& why) const noexcept {
    why = WhyChosen::only;
    if (const auto mask = masks_[best_tier_]; std::has_single_bit(mask) && tracks_.size() <= kMasked)
      return static_cast<std::size_t>(std::countr_zero(mask));
    switch (ask_.balance) {
      case Balance::round_robin:
        why = WhyChosen::turn;
        return best([&](std::size_t i) { return -(tracks_[i].turn + tracks_[i].instance_state->weight); });
      case Balance::random_two:
        why = WhyChosen::two;
        return random_two();
      case Balance::hash:
        why = WhyChosen::hash;
        if (!ask_.key.empty()) return hash();
        [[fallthrough]];
      case Balance::nearest:
        break;
    }
    why = WhyChosen::nearest;
    return nearest();
  }

  /// The eligible one with the lowest rank; equals (among the first 64) take turns as chance says.
  template <class Rank>
  std::size_t best(Rank rank) const noexcept {
    std::size_t found = Choice::kNone;
    double lowest = 0;
    std::uint64_t equals = 0;
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (!eligible(i)) continue;
      const double value = rank(i);
      if (found != Choice::kNone && value > lowest) continue;
      if (found == Choice::kNone || value < lowest) equals = 0;
      if (i < 64) equals |= std::uint64_t{1} << i;
      found = i;
      lowest = value;
    }
    if ((equals & (equals - 1)) == 0) return found;
    for (auto skip = below(chance_, static_cast<std::size_t>(std::popcount(equals))); skip > 0; --skip)
      equals &= equals - 1;
    return static_cast<std::size_t>(std::countr_zero(equals));
  }

  std::size_t nearest() const noexcept {
    constexpr double kNobody = std::numeric_limits<double>::infinity();
    double local = kNobody, remote = kNobody;
    std::array<double, 8> costs;  // NOLINT: filled as far as it is read
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (!eligible(i)) continue;
      const double seconds = cost(tracks_[i]);
      if (i < costs.size()) costs[i] = seconds;
      double& lowest = tracks_[i].instance_state->local ? local : remote;
      lowest = std::min(lowest, seconds);
    }
    const bool far = local == kNobody || (local > kLocalFactor * remote && local > remote + kLocalMargin);
    const double same = std::max(far ? remote : local, kFast) * kSame;
    return best([&](std::size_t i) {
      const InstanceState& instance_state = *tracks_[i].instance_state;
      if (instance_state.local == far) return kNobody;
      const double seconds = i < costs.size() ? costs[i] : cost(tracks_[i]);
      const double load = (1 + instance_state.in_flight) * instance_state.burden;
      return seconds <= same ? load : load * seconds * kSame / same;
    });
  }

  std::size_t random_two() const noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < tracks_.size(); ++i) count += eligible(i);
    if (count == 1) return nth(0);
    const std::size_t first = below(chance_, count);
    std::size_t second = below(chance_ << 32, count - 1);
    second += second >= first;
    const std::size_t a = nth(first), b = nth(second);
    const auto rank = [&](const TargetStats& stats) {
      return (1 + stats.instance_state->in_flight) * std::max(cost(stats), kFast) * stats.instance_state->burden;
    };
    return rank(tracks_[b]) < rank(tracks_[a]) ? b : a;
  }
  std::size_t nth(std::size_t number) const noexcept {
    std::size_t i = 0;
    while (!eligible(i) || number-- > 0) ++i;
    return i;
  }

  std::size_t hash() const noexcept {
    const std::uint64_t key = splitmix64(std::hash<std::string_view>{}(ask_.key));
    double total = 1, weights = 0;
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (!eligible(i)) continue;
      total += tracks_[i].instance_state->in_flight;
      weights += tracks_[i].instance_state->weight;
    }
    // Google's bounded loads: nobody above kHashLoad times its share; what it has too much goes to the next of the key.
    const auto full = [&](const InstanceState& instance_state) {
      return instance_state.in_flight + 1 > std::ceil(kHashLoad * total * instance_state.weight / weights);
    };
    return best([&](std::size_t i) {
      const double rank = -rendezvous(key, *tracks_[i].instance_state);
      return full(*tracks_[i].instance_state) ? rank / 1e300 : rank;  // behind all that are not, in the same order
    });
  }

  void tell_all() {
    for (const auto& stats : tracks_) {
      Explanation verdict;
      verdict.instance = stats.instance_state->id;
      verdict.host = stats.instance_state->host;
      verdict.local = stats.instance_state->local;
      verdict.asked_for = wanted(*stats.instance_state);
      verdict.breaker = stats.breaker.state();
      verdict.in_flight = stats.instance_state->in_flight;
      verdict.round_trip = stats.round_trip;
      verdict.errors = stats.errors;
      if (tier(stats) != out) verdict.cost = cost(stats);
      verdict.reason = reason(stats);
      why_->push_back(std::move(verdict));
    }
  }
  std::string reason(const TargetStats& stats) const {
    const InstanceState& instance_state = *stats.instance_state;
    if (!ask_.host.empty() && instance_state.host != ask_.host) return fmt::format("not on host {}", ask_.host);
    if (!wanted(instance_state)) return "another instance is asked for";
    const auto breaker = stats.breaker.snapshot(policy_.breaker, now_);
    if (tier(stats) == out) {
      if (breaker.force == BreakerForce::open) return "circuit opened by hand";
      if (breaker.state == BreakerState::half_open) return "circuit half open, its probes are on their way";
      return fmt::format("circuit open for another {:.1f} s{}", to_seconds(breaker.open_left), reported_by(stats));
    }
    if (instance_state.draining) return "it is stopping";
    if (!instance_state.healthy)
      return "its health is " + (instance_state.health_text.empty() ? "critical" : instance_state.health_text);
    if (instance_state.silence.silent(now_))
      return fmt::format("it has not answered a ping for {:.0f} ms",
                         to_seconds(instance_state.silence.unanswered(now_)) * 1000);
    if (avoided(instance_state)) return "it was tried already";
    if (stats.breaker.wants_probe(policy_.breaker, now_)) return "a probe of its circuit is due";
    const std::string where = (instance_state.local ? "own host" : "other host") +
                              (instance_state.health_text.empty() ? "" : ", health " + instance_state.health_text);
    const double seconds = cost(stats);
    if (stats.round_trip == 0) return fmt::format("{}, not measured yet", where);
    return fmt::format("{}, expected {:.3g} ms, {} in flight", where, seconds * 1000, instance_state.in_flight);
  }

  std::span<const TargetStats> tracks_;
  const Policy& policy_;
  const Selector& ask_;
  TimePoint now_;
  std::uint64_t chance_;
  std::vector<Explanation>* why_;
  Tier best_tier_ = out;
  static constexpr std::size_t kMasked = 64;
  std::uint64_t masks_[out]{};  // of the first 64 tracks, by tier: it need not be found out twice
  Choice::Refused refused_ = Choice::Refused::nobody;
  std::size_t probe_ = Choice::kNone;
  double typical_ = 0;
};

}  // namespace

std::string_view to_string(WhyChosen why) noexcept {
  switch (why) {
    case WhyChosen::none:
      break;
    case WhyChosen::only:
      return "the only one that could take it";
    case WhyChosen::probe:
      return "its circuit was probed";
    case WhyChosen::nearest:
      return "the nearest by round trips and load";
    case WhyChosen::turn:
      return "its turn";
    case WhyChosen::two:
      return "the better of two by chance";
    case WhyChosen::hash:
      return "the hash of the call's key";
  }
  return {};
}

std::string reported_by(const TargetStats& stats) {
  return stats.reported_by && stats.breaker.told() ? ", as " + stats.reported_by->name + " said" : std::string();
}

void TargetStats::measure(TimePoint now, bool failed, Duration took) noexcept {
  const double part = round_trip == 0 ? 1 : 1 - (1 - kEach) * known_after(now - measured);
  const double seconds = std::max(to_seconds(took), 1e-9);
  round_trip += part * (seconds - round_trip);
  errors += part * ((failed ? 1.0 : 0.0) - errors);
  measured = now;
}

Choice choose(std::span<TargetStats> stats_list, const Policy& policy, const Selector& ask, TimePoint now,
              std::uint64_t chance) {
  Decision decision(stats_list, policy, ask, now, chance, nullptr);
  if (decision.only_one()) return {0, Choice::Refused::no, WhyChosen::only};
  const Choice choice = decision.run();
  if (choice.refused != Choice::Refused::no || !decision.by_turns()) return choice;
  double total = 0;  // smooth weighted turns, as nginx takes them
  for (std::size_t i = 0; i < stats_list.size(); ++i) {
    if (!decision.eligible(i)) continue;
    stats_list[i].turn += stats_list[i].instance_state->weight;
    total += stats_list[i].instance_state->weight;
  }
  stats_list[choice.index].turn -= total;
  return choice;
}

std::vector<Explanation> explain(std::span<const TargetStats> stats_list, const Policy& policy, const Selector& ask,
                                 TimePoint now, std::uint64_t chance) {
  std::vector<Explanation> why;
  (void)Decision(stats_list, policy, ask, now, chance, &why).run();
  return why;
}

}  // namespace weft::policy
