// What a supervisor decides. One cursor through the start order serves both directions: while children are stopped,
// all from it on are down; while they are started, none before it waits.
#include "weft/actor/supervision.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

namespace weft::actor {
namespace {

enum class Status : std::uint8_t {
  waiting,  ///< to be started when its turn comes
  starting,
  running,
  stopping,
  ended,  ///< and not restarted
};

struct Member {
  Supervision::Child id;
  std::uint64_t place;  ///< in the start order
  ChildPolicy policy;
  Status status = Status::waiting;
  bool removing = false;  ///< remove() waits for its end
  bool failing = false;   ///< restart() waits for its end
  std::uint32_t starts = 0;
  std::unique_ptr<RestartWindow> restarts{};  ///< created by its first failure: most children never fail
};

using Members = std::list<Member>;
using Where = Members::iterator;

/// Whom we stopped in order to start it again has not ended by itself.
Reason counts_as(const Member& member, Reason reason) {
  const bool ours = member.failing || (member.status == Status::stopping && reason == Reason::shutdown);
  return ours && reason != Reason::escalated ? Reason::error : reason;
}

bool is_down(const Member& member) { return member.status == Status::waiting || member.status == Status::ended; }

}  // namespace

std::string_view to_string(Strategy strategy) noexcept {
  constexpr auto names = std::to_array<std::string_view>({"one_for_one", "one_for_all", "rest_for_one"});
  static_assert(names.size() == kStrategyCount);
  return names[static_cast<std::size_t>(strategy)];
}

struct Supervision::State {
  enum class Phase : std::uint8_t { up, stopping_group, stopping_all, over };

  explicit State(SupervisorOptions wanted) : options(wanted), total(wanted.total_limit) {}

  SupervisorOptions options;
  RestartWindow total;
  std::unique_ptr<Random> random{};  ///< made at the first failure: it is large
  Members members{};                 ///< in start order
  std::unordered_map<Child, Where> index{};
  std::uint64_t next_place = 0;
  Phase phase = Phase::up;
  Where cursor = members.end();
  Where starting = members.end();              ///< the child that the next one waits for; unused with one_for_one
  std::uint64_t group_from = 0;                ///< the first place of the group that is being stopped
  Duration delay{};                            ///< before the next start of a group
  Action::Kind last = Action::Kind::finished;  ///< what stopping_all ends with
  Actions actions{};

  bool independent() const { return options.strategy == Strategy::one_for_one; }
  bool in_group(const Member& member) const { return phase == Phase::stopping_group && member.place >= group_from; }

  Where find(Child child) {
    const auto found = index.find(child);
    return found == index.end() ? members.end() : found->second;
  }
  Actions take() { return std::exchange(actions, {}); }
  void tell(Action::Kind kind, Child child = 0, Duration after = {}) { actions.push_back({kind, child, after}); }

  void add(Child child, ChildPolicy policy);
  void remove(Where where);
  void started(Where where);
  void ended(Where where, Reason reason, TimePoint now);
  void revive(Where where, TimePoint now);
  void stop_group(Where where, Duration after);
  void stop_everything(Action::Kind then);
  void proceed();
  void start_next();
  void stop_next();
  void start(Where where, Duration after);
  void stop(Where where);
  void leave(Where where);
  void forget(Where where);
};

void Supervision::State::add(Child child, ChildPolicy policy) {
  if (phase == Phase::stopping_all || phase == Phase::over) return tell(Action::Kind::removed, child);
  const auto [entry, fresh] = index.try_emplace(child, members.end());
  if (!fresh) throw std::logic_error("child " + std::to_string(child) + " is supervised already");
  const Where where = entry->second = members.insert(members.end(), Member{child, next_place++, policy});
  if (independent()) return start(where, 0ns);
  if (phase != Phase::up) return;
  if (cursor == members.end()) cursor = where;
  start_next();
}

void Supervision::State::remove(Where where) {
  if (is_down(*where)) return forget(where);
  where->removing = true;
  const bool turn_comes = phase == Phase::stopping_all || in_group(*where);
  if (!turn_comes) stop(where);
}

void Supervision::State::started(Where where) {
  if (where->status != Status::starting) return;
  where->status = Status::running;
  if (where != starting) return;
  starting = members.end();
  delay = {};
  start_next();
}

void Supervision::State::ended(Where where, Reason reason, TimePoint now) {
  if (is_down(*where)) return;
  const bool grouped = in_group(*where);
  const Reason counted = counts_as(*where, reason);
  where->status = Status::ended;
  where->failing = false;
  if (where == starting) starting = members.end();
  const bool going = where->removing || phase == Phase::stopping_all;
  const bool escalates = !going && counted == Reason::escalated;
  if (going || escalates || !actor::restarts(where->policy.restart, counted)) {
    leave(where);
    return escalates ? stop_everything(Action::Kind::fail) : proceed();
  }
  if (!grouped) return revive(where, now);
  where->status = Status::waiting;
  proceed();
}

/// Restarts a child that failed by itself, unless a limit is reached.
void Supervision::State::revive(Where where, TimePoint now) {
  if (!where->restarts) where->restarts = std::make_unique<RestartWindow>(options.child_limit);
  const std::uint32_t before = where->restarts->count(now);
  if (!where->restarts->take(now)) {
    tell(Action::Kind::gave_up, where->id);
    if (!independent() || where->policy.significant) stop_everything(Action::Kind::fail);
    return;
  }
  if (!total.take(now)) return stop_everything(Action::Kind::fail);
  if (!random) random = std::make_unique<Random>(options.seed);
  const Duration after = options.backoff.delay(before, *random);
  if (independent()) return start(where, after);
  where->status = Status::waiting;
  stop_group(where, after);
}

/// Stops the group of a child that failed. If a group is being stopped already, the child stood before it: that grows.
void Supervision::State::stop_group(Where where, Duration after) {
  if (phase != Phase::stopping_group) cursor = members.end();
  group_from = options.strategy == Strategy::one_for_all ? 0 : where->place;
  phase = Phase::stopping_group;
  delay = std::max(delay, after);
  stop_next();
}

void Supervision::State::stop_everything(Action::Kind then) {
  last = then;
  if (phase == Phase::up) cursor = members.end();
  phase = Phase::stopping_all;
  stop_next();
}

void Supervision::State::proceed() {
  if (phase == Phase::up) {
    start_next();
  } else {
    stop_next();
  }
}

void Supervision::State::start_next() {
  if (independent() || starting != members.end()) return;
  cursor = std::find_if(cursor, members.end(), [](const Member& member) { return member.status == Status::waiting; });
  starting = cursor;
  if (cursor != members.end()) return start(cursor, delay);
  delay = {};  // its child has been removed
}

void Supervision::State::stop_next() {
  const std::uint64_t from = phase == Phase::stopping_group ? group_from : 0;
  for (; cursor != members.begin() && std::prev(cursor)->place >= from; --cursor) {
    const Where where = std::prev(cursor);
    if (!is_down(*where)) return stop(where);
  }
  if (phase == Phase::stopping_group) {
    phase = Phase::up;
    return start_next();
  }
  phase = Phase::over;
  tell(last);
}

void Supervision::State::start(Where where, Duration after) {
  where->status = Status::starting;
  ++where->starts;
  tell(Action::Kind::start, where->id, after);
}

void Supervision::State::stop(Where where) {
  if (where->status == Status::stopping) return;
  where->status = Status::stopping;
  tell(Action::Kind::stop, where->id);
}

/// A child that ended is not restarted.
void Supervision::State::leave(Where where) {
  if (where->removing || where->policy.restart == Restart::temporary) forget(where);
}

void Supervision::State::forget(Where where) {
  const Child child = where->id;
  if (cursor == where) ++cursor;
  index.erase(child);
  members.erase(where);
  tell(Action::Kind::removed, child);
}

Supervision::Supervision(SupervisorOptions options) : state_(std::make_unique<State>(options)) {}
Supervision::~Supervision() = default;

Supervision::Actions Supervision::add(Child child, ChildPolicy policy) {
  state_->add(child, policy);
  return state_->take();
}

Supervision::Actions Supervision::remove(Child child) {
  if (const Where where = state_->find(child); where != state_->members.end()) state_->remove(where);
  return state_->take();
}

Supervision::Actions Supervision::started(Child child) {
  if (const Where where = state_->find(child); where != state_->members.end()) state_->started(where);
  return state_->take();
}

Supervision::Actions Supervision::ended(Child child, Reason reason, TimePoint now) {
  if (const Where where = state_->find(child); where != state_->members.end()) state_->ended(where, reason, now);
  return state_->take();
}

Supervision::Actions Supervision::restart(Child child) {
  const Where where = state_->find(child);
  if (where == state_->members.end() || where->status != Status::running) return {};
  if (state_->phase == State::Phase::stopping_all || state_->in_group(*where)) return {};
  where->failing = true;
  state_->stop(where);
  return state_->take();
}

Supervision::Actions Supervision::stop_all() {
  if (state_->phase == State::Phase::over) return {{Action::Kind::finished}};
  if (state_->phase == State::Phase::stopping_all) {
    state_->last = Action::Kind::finished;
    return {};
  }
  state_->stop_everything(Action::Kind::finished);
  return state_->take();
}

std::size_t Supervision::size() const noexcept { return state_->members.size(); }

std::uint32_t Supervision::restarts(Child child) const noexcept {
  const auto found = state_->index.find(child);
  return found == state_->index.end() || found->second->starts == 0 ? 0 : found->second->starts - 1;
}

}  // namespace weft::actor
