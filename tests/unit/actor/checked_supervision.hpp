// A Supervision beside a naive model of it: each event goes to both, and each answer must be one that the model allows.
// The model looks at all children each time and keeps all restarts ever, so that it shares no idea with the real one.
#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/actor/actions.hpp"

namespace weft::actor::test {

/// What the runs of a model test met, so that a test can tell whether it tried what it wanted to.
struct Seen {
  int restarts = 0, gave_up = 0, failed = 0, escalated = 0, grouped_ends = 0, grown_groups = 0, called_off = 0;
};

class CheckedSupervision {
 public:
  using Child = Supervision::Child;
  using Actions = Supervision::Actions;
  enum class View : std::uint8_t { down, starting, up, stopping };

  CheckedSupervision(SupervisorOptions options, Seen& seen) : options_(options), seen_(seen), real_(options) {}

  Actions add(Child child, ChildPolicy policy) {
    const bool refused = stopping_ || over_;
    if (!refused) children_[child] = Known{next_place_++, policy};
    return allowed(real_.add(child, policy), "add", child, refused ? child : 0);
  }
  Actions remove(Child child) {
    Known* known = find(child);
    const bool down = known && known->view == View::down;
    if (known) known->removing = true;
    return allowed(real_.remove(child), "remove", child, down ? child : 0);
  }
  Actions restart(Child child) {
    Known* known = find(child);
    const bool fine = known && known->view == View::up && !known->removing && !stopping_ && !over_ && !in_group(*known);
    if (fine) known->on_purpose = true;
    return allowed(real_.restart(child), "restart", child);
  }
  Actions started(Child child) {
    if (Known* known = find(child); known && known->view == View::starting) {
      known->view = View::up;
      delay_ = {};
    }
    return allowed(real_.started(child), "started", child);
  }
  Actions ended(Child child, Reason reason, TimePoint now) {
    Known* known = find(child);
    need(known && known->view != View::down, "the test tells the end of a child that is down");
    judge(child, *known, reason, now);
    const Child gone = known->removing || (known->finished && known->policy.restart == Restart::temporary) ? child : 0;
    return allowed(real_.ended(child, reason, now), "ended", child, gone);
  }
  Actions stop_all() {
    stopping_ = true;
    last_ = Supervision::Action::Kind::finished;
    return allowed(real_.stop_all(), "stop_all", 0);
  }

  bool over() const { return over_; }
  bool up(Child child) const { return children_.at(child).view == View::up; }
  /// Whether it stays down for good, by what the model knows.
  bool finished(Child child) const { return children_.at(child).finished; }
  std::vector<Child> children() const {
    std::vector<Child> result;
    for (const auto& [child, known] : children_) result.push_back(child);
    return result;
  }

 private:
  struct Known {
    std::uint64_t place;
    ChildPolicy policy;
    View view = View::down;
    bool removing = false, on_purpose = false;
    bool called_off = false;  ///< it is stopped before it reported started: the next start waits for its end
    bool finished = false;    ///< it ended and is not restarted
    std::uint32_t starts = 0;
    std::vector<TimePoint> failures{};  ///< all that were restarted
  };

  static void need(bool fine, const std::string& what) {
    if (!fine) throw std::runtime_error(what);
  }
  bool ordered() const { return options_.strategy != Strategy::one_for_one; }
  Known* find(Child child) {
    const auto found = children_.find(child);
    return found == children_.end() ? nullptr : &found->second;
  }
  template <typename Predicate>
  bool any(Predicate predicate) const {
    return std::any_of(children_.begin(), children_.end(), [&](const auto& entry) { return predicate(entry.second); });
  }
  bool in_group(const Known& known) const { return group_from_ && known.place >= *group_from_; }
  bool waits(const Known& known) const { return known.view == View::down && !known.finished; }
  static std::uint32_t within(const std::vector<TimePoint>& times, TimePoint now, Duration window) {
    return static_cast<std::uint32_t>(
        std::count_if(times.begin(), times.end(), [&](TimePoint time) { return time >= now - window; }));
  }

  /// What the end of a child must lead to.
  void judge(Child child, Known& known, Reason reason, TimePoint now) {
    const bool grouped = in_group(known);
    const bool was_asked = known.view == View::stopping;
    const bool called_by_us = known.on_purpose || (was_asked && reason == Reason::shutdown);
    known.view = View::down;
    known.on_purpose = known.called_off = false;
    if (stopping_ || known.removing) {
      known.finished = true;
    } else if (reason == Reason::escalated) {
      ++seen_.escalated;
      known.finished = true;
      must_fail();
    } else if (grouped) {
      ++seen_.grouped_ends;
      known.finished =
          called_by_us ? known.policy.restart == Restart::temporary : !actor::restarts(known.policy.restart, reason);
    } else if (!actor::restarts(known.policy.restart, called_by_us ? Reason::error : reason)) {
      known.finished = true;
    } else {
      judge_failure(child, known, now);
    }
  }

  void judge_failure(Child child, Known& known, TimePoint now) {
    const auto of_child = within(known.failures, now, options_.child_limit.window);
    const auto of_all = within(failures_, now, options_.total_limit.window);
    if (options_.child_limit.restarts != 0 && of_child >= options_.child_limit.restarts) {
      known.finished = true;
      gives_up_ = child;
      if (ordered() || known.policy.significant) must_fail();
    } else if (options_.total_limit.restarts != 0 && of_all >= options_.total_limit.restarts) {
      known.finished = true;
      must_fail();
    } else {
      ++seen_.restarts;
      known.failures.push_back(now);
      failures_.push_back(now);
      const auto factor = std::int64_t{1} << std::min(of_child, 30U);
      const Duration delay = std::min(options_.backoff.base * factor, options_.backoff.max);
      if (ordered()) return joins_group(known, delay);
      delay_ = delay;
    }
  }

  void joins_group(const Known& known, Duration delay) {
    if (group_from_) ++seen_.grown_groups;
    const auto from = options_.strategy == Strategy::one_for_all ? 0 : known.place;
    group_from_ = group_from_ ? std::min(*group_from_, from) : from;
    delay_ = std::max(delay_, delay);
  }

  void must_fail() {
    stopping_ = true;
    last_ = Supervision::Action::Kind::fail;
  }

  /// Checks an answer against the model; `gone` is who must have been removed, or 0.
  Actions allowed(Actions actions, const std::string& event, Child about, Child gone = 0) {
    try {
      for (const auto& action : actions) {
        end_group_if_down();
        check(action, event, about, gone);
      }
      need(gone == 0, "is not told as removed");
      need(gives_up_ == 0, "is not given up");
      end_group_if_down();
      check_progress();
    } catch (const std::runtime_error& error) {
      throw std::runtime_error(event + " " + std::to_string(about) + " -> " + text(actions) + ": " + error.what());
    }
    return actions;
  }

  void check(const Supervision::Action& action, const std::string& event, Child about, Child& gone) {
    using Kind = Supervision::Action::Kind;
    need(!over_ || action.kind == Kind::removed || (event == "stop_all" && action.kind == Kind::finished),
         "after the end");
    switch (action.kind) {
      case Kind::start:
        return check_start(action);
      case Kind::stop:
        return check_stop(action, (event == "remove" || event == "restart") && action.child == about);
      case Kind::gave_up:
        need(action.child == gives_up_, "gives up whom it should not");
        gives_up_ = 0;
        ++seen_.gave_up;
        return;
      case Kind::removed:
        need(action.child == gone, "removes whom it should not");
        gone = 0;
        children_.erase(action.child);
        return;
      case Kind::fail:
        ++seen_.failed;
        [[fallthrough]];
      case Kind::finished:
        need(stopping_ && action.kind == last_, "ends in another way");
        need(!any([](const Known& known) { return known.view != View::down; }), "ends before its children");
        over_ = true;
    }
  }

  void check_start(const Supervision::Action& action) {
    Known* known = find(action.child);
    need(known && waits(*known) && !known->removing, "starts whom it should not");
    need(!stopping_ && !group_from_, "starts while stopping");
    need(action.delay == delay_, "the delay should be " + to_text(delay_));
    if (!ordered()) delay_ = {};
    for (const auto& [id, other] : children_) {
      if (!ordered() || &other == known) continue;
      const bool is_past = other.view == View::up || other.finished || other.removing || other.on_purpose;
      need(other.place < known->place ? is_past : other.view == View::down, "starts out of order");
    }
    known->view = View::starting;
    ++known->starts;
  }

  void check_stop(const Supervision::Action& action, bool wished) {
    Known* known = find(action.child);
    need(known && (known->view == View::starting || known->view == View::up), "stops whom it should not");
    known->called_off = known->view == View::starting;
    seen_.called_off += known->called_off ? 1 : 0;
    if (!wished || stopping_ || in_group(*known)) {
      need(stopping_ || in_group(*known), "stops without a cause");
      need(!any([&](const Known& other) { return other.place > known->place && other.view != View::down; }),
           "stops out of order");
    }
    known->view = View::stopping;
  }

  void end_group_if_down() {
    const bool live = any([this](const Known& known) { return in_group(known) && known.view != View::down; });
    if (!live) group_from_.reset();
  }

  /// Nothing may stand still: somebody is being stopped, or is being started, or nobody waits.
  void check_progress() {
    const bool stops =
        any([this](const Known& known) { return known.view == View::stopping && (stopping_ || in_group(known)); });
    const bool starts = any([](const Known& known) { return known.view == View::starting; });
    const bool goes = any([](const Known& known) { return known.view == View::stopping && known.called_off; });
    const bool waiting = any([this](const Known& known) { return waits(known); });
    if (over_) return;
    if (stopping_ || group_from_) return need(stops, "stands still while stopping");
    need(!waiting || (ordered() && (starts || goes)), "forgets a child that waits");
    if (!waiting && !starts && !goes) delay_ = {};
    need(real_.size() == children_.size(), "knows another number of children");
    for (const auto& [child, known] : children_) {
      need(real_.restarts(child) + 1 == std::max(known.starts, 1U), "counts other restarts");
    }
  }

  SupervisorOptions options_;
  Seen& seen_;
  Supervision real_;
  std::map<Child, Known> children_{};
  std::uint64_t next_place_ = 0;
  std::optional<std::uint64_t> group_from_{};  ///< while a group is stopped: its first place
  Duration delay_{};                           ///< of the next start
  std::vector<TimePoint> failures_{};
  bool stopping_ = false, over_ = false;
  Supervision::Action::Kind last_ = Supervision::Action::Kind::finished;
  Child gives_up_ = 0;
};

}  // namespace weft::actor::test
