#include "weft/policy/breaker.hpp"

#include <algorithm>
#include <utility>

namespace weft::policy {
namespace {

constexpr auto kStates = std::to_array<std::string_view>({"closed", "open", "half_open"});
static_assert(kStates.size() == kBreakerStateCount);
constexpr auto kForces = std::to_array<std::string_view>({"none", "open", "closed"});
static_assert(kForces.size() == kBreakerForceCount);

std::int64_t slice_number(const Policy::Breaker& rules, TimePoint now, std::size_t slices) noexcept {
  return now.time_since_epoch().count() / (rules.window.count() / static_cast<std::int64_t>(slices));
}

}  // namespace

std::string_view to_string(BreakerState state) noexcept { return kStates[static_cast<std::size_t>(state)]; }
std::string_view to_string(BreakerForce force) noexcept { return kForces[static_cast<std::size_t>(force)]; }

bool breaks(ErrorKind kind) noexcept { return facts(kind).breaks_circuit; }
bool counts_as_error(ErrorKind kind) noexcept { return breaks(kind) || kind == ErrorKind::overloaded; }

BreakerState Breaker::state() const noexcept {
  if (force_ == BreakerForce::none) return state_;
  return force_ == BreakerForce::open ? BreakerState::open : BreakerState::closed;
}

bool Breaker::admits_slowly(const Rules& rules, TimePoint now) const noexcept {
  if (force_ != BreakerForce::none) return force_ == BreakerForce::closed;
  if (state_ == BreakerState::closed) return true;
  if (state_ == BreakerState::open) return now >= open_until_;
  // A probe that never ends, because its caller was destroyed at the wrong moment, must not close the door for good.
  return probing_ + passed_ < rules.probes || now >= open_until_;
}

std::pair<Breaker::Pass, std::optional<Breaker::Transition>> Breaker::started(const Rules& rules,
                                                                              TimePoint now) noexcept {
  if (force_ != BreakerForce::none || state_ == BreakerState::closed) return {Pass::normal, std::nullopt};
  if (now >= open_until_) probing_ = 0;
  const auto changed =
      state_ == BreakerState::open ? change(BreakerState::half_open, now + rules.open_for) : std::nullopt;
  ++probing_;
  return {Pass::probe, changed};
}

std::optional<Breaker::Transition> Breaker::finished(const Rules& rules, TimePoint now, Pass pass, bool failed,
                                                     Duration took) noexcept {
  const bool slow = rules.slow > Duration::zero() && took >= rules.slow;
  failures_in_row_ = failed ? failures_in_row_ + 1 : 0;
  if (rules.ratio > 0 || rules.slow_ratio > 0) {
    const auto number = slice_number(rules, now, kSlices);
    Slice& slice = slices_[static_cast<std::size_t>(number) % kSlices];
    if (slice.number != number) slice = Slice{{}, number};
    ++slice.calls;
    slice.failures += failed;
    slice.slow += slow;
  }
  if (state_ == BreakerState::closed) {
    told_since_ = TimePoint{};
    if (force_ != BreakerForce::none || !(failed || slow) || !trips(rules, now)) return std::nullopt;
    doubt_until_ = TimePoint{};  // what others may say is what own calls said
    return change(BreakerState::open, now + rules.open_for);
  }
  if (pass == Pass::normal || state_ == BreakerState::open) return std::nullopt;  // began before it opened
  if (probing_ > 0) --probing_;
  told_since_ = TimePoint{};
  if (failed || (slow && rules.slow_ratio > 0)) {
    doubt_until_ = TimePoint{};
    told_ = false;
    return change(BreakerState::open, now + rules.open_for);
  }
  if (++passed_ < rules.probes) return std::nullopt;
  if (std::exchange(told_, false)) doubt_until_ = now + kDoubt * rules.open_for;
  return change(BreakerState::closed, TimePoint{});
}

// ---- what other callers say

bool Breaker::listens(TimePoint now) const noexcept {
  const bool probes = state_ == BreakerState::half_open && probing_ > 0;
  return force_ == BreakerForce::none && !probes && now >= doubt_until_;
}

TimePoint Breaker::patience(const Rules& rules, TimePoint now) noexcept {
  if (told_since_ == TimePoint{}) told_since_ = now;
  return told_since_ + kPatience * rules.open_for;
}

Breaker::Heard Breaker::peer_opened(const Rules& rules, TimePoint now, Duration hold) noexcept {
  if (!listens(now)) return {};
  const TimePoint end = std::min(now + hold, patience(rules, now));
  if (end <= now) return {};
  if (state_ == BreakerState::open) {
    open_until_ = end;
    return {true, std::nullopt};
  }
  if (state_ == BreakerState::closed) told_ = true;
  return {true, change(BreakerState::open, end)};
}

Breaker::Heard Breaker::peer_probes(const Rules& rules, TimePoint now, Duration hold) noexcept {
  if (state_ != BreakerState::open || !listens(now)) return {};
  const TimePoint end = std::min(now + hold, patience(rules, now));
  if (end <= open_until_) return {};
  open_until_ = end;
  return {true, std::nullopt};
}

Breaker::Heard Breaker::peer_closed(const Rules& rules, TimePoint now, bool agrees) noexcept {
  if (agrees) doubt_until_ = TimePoint{};
  if (state_ == BreakerState::closed || !listens(now)) return {};
  if (!told_) {
    if (state_ != BreakerState::open || open_until_ <= now) return {};
    open_until_ = now;
    return {true, std::nullopt};
  }
  told_ = false;
  told_since_ = TimePoint{};
  if (!agrees) doubt_until_ = now + kDoubt * rules.open_for;
  return {true, change(BreakerState::closed, TimePoint{})};
}

std::optional<Breaker::Transition> Breaker::lapse(const Rules& rules, TimePoint now) noexcept {
  if (!told_ || state_ != BreakerState::open || now < open_until_ + rules.open_for) return std::nullopt;
  told_ = false;
  told_since_ = TimePoint{};
  return change(BreakerState::closed, TimePoint{});
}

std::optional<Breaker::Transition> Breaker::force(BreakerForce force) noexcept {
  const BreakerState before = state();
  force_ = force;
  told_ = false;
  told_since_ = doubt_until_ = TimePoint{};
  if (force == BreakerForce::none) (void)change(BreakerState::closed, TimePoint{});
  if (before == state()) return std::nullopt;
  if (state() == BreakerState::open) ++opened_;
  return Transition{before, state()};
}

Breaker::Counts Breaker::counted(const Rules& rules, TimePoint now) const noexcept {
  Counts sum;
  const auto newest = slice_number(rules, now, kSlices);
  for (const auto& slice : slices_) {
    if (slice.number < 0 || slice.number + static_cast<std::int64_t>(kSlices) <= newest) continue;
    sum.calls += slice.calls;
    sum.failures += slice.failures;
    sum.slow += slice.slow;
  }
  return sum;
}

bool Breaker::trips(const Rules& rules, TimePoint now) const noexcept {
  if (rules.failures > 0 && failures_in_row_ >= rules.failures) return true;
  if (rules.ratio <= 0 && rules.slow_ratio <= 0) return false;
  const Counts counts = counted(rules, now);
  if (counts.calls < rules.calls_min) return false;
  const auto reaches = [&](std::uint32_t part, double ratio) { return ratio > 0 && part >= ratio * counts.calls; };
  return reaches(counts.failures, rules.ratio) ||
         (rules.slow > Duration::zero() && reaches(counts.slow, rules.slow_ratio));
}

std::optional<Breaker::Transition> Breaker::change(BreakerState to, TimePoint open_until) noexcept {
  const Transition transition{state_, to};
  state_ = to;
  open_until_ = open_until;
  probing_ = passed_ = 0;
  if (to == BreakerState::open) ++opened_;
  if (to == BreakerState::closed) {
    failures_in_row_ = 0;
    slices_ = {};
  }
  return transition.from == to ? std::nullopt : std::optional(transition);
}

Breaker::Snapshot Breaker::snapshot(const Rules& rules, TimePoint now) const noexcept {
  const Counts counts = counted(rules, now);
  Snapshot out;
  out.state = state();
  out.force = force_;
  out.failures_in_row = failures_in_row_;
  out.calls = counts.calls;
  out.failures = counts.failures;
  out.slow = counts.slow;
  out.opened = opened_;
  if (out.state == BreakerState::open && force_ == BreakerForce::none && open_until_ > now)
    out.open_left = open_until_ - now;
  return out;
}

}  // namespace weft::policy
