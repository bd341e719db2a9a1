#include "node/supervisor.hpp"

#include <algorithm>

namespace weft::node {
namespace {
constexpr Duration kBeat = 1s;        // how often this node looks at the clock, to know that it runs
constexpr Duration kStandstill = 3s;  // a gap between two looks from which on nobody is blamed for silence

bool satisfied(const Child& need) noexcept {
  return need.status().state == State::ready || need.status().state == State::done;
}
bool down(const Child& child) noexcept { return !child.has_process(); }
bool ended_for_good(State state) noexcept {
  return state == State::stopped || state == State::done || state == State::failed;
}
}  // namespace

Supervisor::Supervisor(Loop& loop, Launcher& launcher, Observer& observer, std::size_t starts_at_once)
    : loop_(loop),
      launcher_(launcher),
      observer_(observer),
      last_beat_(loop.now()),
      beat_(loop),
      starts_at_once_(starts_at_once),
      step_(loop),
      place_(loop) {
  beat();
}

Supervisor::~Supervisor() = default;

void Supervisor::add(Unit unit) {
  children_.push_back(std::make_unique<Child>(loop_, launcher_, observer_, std::move(unit),
                                              Child::Hooks{[this] { step_soon(); }, [this] { return may_judge(); }}));
}

bool Supervisor::adopt(std::string_view name, ProcessId id) {
  Child* child = find(name);
  return child && child->adopt(id);
}

void Supervisor::start() {
  started_ = true;
  step_soon();
}

void Supervisor::notified(const Notification& notification) {
  for (auto& child : children_) {
    if (child->includes(notification.pid)) return child->notified(notification);
  }
}

void Supervisor::registered(std::string_view name, pid_t pid) {
  Child* child = find(name);
  if (!child || !child->includes(pid)) return;
  Notification ready;
  ready.ready = true;
  child->notified(ready);
}

bool Supervisor::may_judge() {
  if (stood_still()) return false;
  if (catch_up_) catch_up_();
  return true;
}

/// A node that was stopped (SIGSTOP, a paused machine) could not read what its children sent meanwhile.
bool Supervisor::stood_still() {
  const auto gap = loop_.now() - std::exchange(last_beat_, loop_.now());
  if (gap < kStandstill) return false;
  for (auto& child : children_) child->new_start();
  return true;
}

void Supervisor::beat() {
  (void)stood_still();
  beat_.start(kBeat, [this] { beat(); });
}

Task<void> Supervisor::stop(std::vector<std::string> names, Duration budget) {
  std::vector<Child*> ending;
  for (const auto& name : names) {
    if (Child* child = find(name)) ending.push_back(child);
  }
  for (Child* child : ending) {
    if (!unwanted(*child)) unwanted_.push_back(child);
  }
  Timer deadline(loop_);
  deadline.start(budget, [ending] {
    for (Child* child : ending) child->kill();
  });
  step_soon();
  // Named, for gcc 12 destroys the captures of a temporary in a co_await twice.
  std::function<bool()> all_down = [ending] {
    return std::all_of(ending.begin(), ending.end(),
                       [](const Child* child) { return down(*child) && ended_for_good(child->status().state); });
  };
  co_await when(std::move(all_down));
}

Result<void> Supervisor::start_one(std::string_view name) {
  Child* child = find(name);
  if (!child) return unknown(name);
  std::erase(unwanted_, child);
  child->revive();
  step_soon();
  return {};
}

Task<Result<void>> Supervisor::stop_one(std::string name) {
  const Child* child = find(name);
  if (!child) co_return unknown(name);
  std::vector<std::string> names{name};
  co_await stop(std::move(names), child->unit().stop_timeout + 1s);
  co_return Result<void>();
}

Task<Result<void>> Supervisor::restart_one(std::string name) {
  auto stopped = co_await stop_one(name);
  if (!stopped) co_return stopped;
  co_return start_one(name);
}

void Supervisor::kill_all() noexcept {
  for (auto& child : children_) child->kill();
}

Task<void> Supervisor::settled() {
  std::function<bool()> done = [this] { return is_settled(); };
  co_await when(std::move(done));
}

bool Supervisor::is_settled() const noexcept {
  return std::all_of(children_.begin(), children_.end(), [this](const auto& child) {
    const auto state = child->status().state;
    return state == State::ready || ended_for_good(state) || (state == State::waiting && blocked(*child));
  });
}

const Child* Supervisor::find(std::string_view name) const noexcept {
  for (const auto& child : children_) {
    if (child->unit().name == name) return child.get();
  }
  return nullptr;
}
Child* Supervisor::find(std::string_view name) noexcept { return const_cast<Child*>(std::as_const(*this).find(name)); }

Error Supervisor::unknown(std::string_view name) const {
  std::vector<std::string_view> known;
  for (const auto& child : children_) known.push_back(child->unit().name);
  return {codes::unknown_agent, "no agent '" + std::string(name) + "' on this host" + did_you_mean(name, known)};
}

void Supervisor::step_soon() {
  if (!step_.running()) step_.start(Duration::zero(), [this] { step(); });
}

void Supervisor::step() {
  stop_what_can();
  if (started_) start_what_can();
  std::vector<Waiter> done;
  std::erase_if(waiters_, [&](Waiter& waiter) {
    if (!waiter.done()) return false;
    done.push_back(std::move(waiter));
    return true;
  });
  for (auto& waiter : done) waiter.completer.complete(true);
}

void Supervisor::start_what_can() {
  auto places = free_places();
  for (auto& child : children_) {
    if (unwanted(*child)) continue;
    if (child->status().state == State::waiting) {
      if (auto missing = missing_needs(*child); !missing.empty()) {
        child->say_why(std::move(missing));
        continue;
      }
    } else if (!child->restart_is_due()) {
      continue;
    }
    if (places > 0) {
      --places;
      child->launch();
    } else if (child->status().state == State::waiting) {
      child->say_why("waits for its turn to start");
    }
  }
  if (places == 0 && !place_.running()) place_.start(kStartPlace / 4, [this] { step_soon(); });
}

std::string Supervisor::missing_needs(const Child& child) const {
  std::string missing;
  for (const auto& name : child.unit().needs) {
    const Child* need = find(name);
    if (need && satisfied(*need)) continue;
    missing += (missing.empty() ? "waits for " : ", ") + name;
    if (need && need->status().state != State::starting)
      missing += " (" + std::string(to_string(need->status().state)) + ")";
  }
  return missing;
}

std::size_t Supervisor::free_places() const noexcept {
  const auto taken = std::count_if(children_.begin(), children_.end(), [this](const auto& child) {
    const auto& status = child->status();
    return status.state == State::starting && loop_.now() - status.since < kStartPlace;
  });
  return starts_at_once_ - std::min(starts_at_once_, static_cast<std::size_t>(taken));
}

void Supervisor::stop_what_can() {
  for (const auto& child : children_) {
    if (!unwanted(*child) || ended_for_good(child->status().state)) continue;
    const bool needed = std::any_of(children_.begin(), children_.end(), [&](const auto& user) {
      const auto& needs = user->unit().needs;
      return unwanted(*user) && !down(*user) &&
             std::find(needs.begin(), needs.end(), child->unit().name) != needs.end();
    });
    if (!needed || down(*child)) child->stop();
  }
}

bool Supervisor::unwanted(const Child& child) const noexcept {
  return std::find(unwanted_.begin(), unwanted_.end(), &child) != unwanted_.end();
}

bool Supervisor::blocked(const Child& child) const noexcept {
  const auto& needs = child.unit().needs;
  return std::any_of(needs.begin(), needs.end(), [this](const auto& name) {
    const Child* need = find(name);
    if (!need) return true;
    const auto state = need->status().state;
    return state == State::failed || state == State::stopped || (state == State::waiting && blocked(*need));
  });
}

Task<void> Supervisor::when(std::function<bool()> done) {
  if (done()) co_return;
  Completion<bool> completion;
  waiters_.push_back({std::move(done), completion.completer()});
  co_await completion;
}

}  // namespace weft::node
