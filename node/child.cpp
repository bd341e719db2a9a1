#include "node/child.hpp"

#include <signal.h>

#include <array>

namespace weft::node {
namespace {
constexpr auto kNames = std::to_array<std::string_view>(
    {"waiting", "starting", "ready", "backoff", "stopping", "stopped", "done", "failed"});
static_assert(kNames.size() == kStates);
constexpr Duration kAbortGrace = 2s;  // to write a core file
}  // namespace

std::string_view to_string(State state) noexcept { return kNames[static_cast<std::size_t>(state)]; }

Child::Child(Loop& loop, Launcher& launcher, Observer& observer, Unit unit, Hooks hooks)
    : loop_(loop),
      launcher_(launcher),
      observer_(observer),
      unit_(std::move(unit)),
      hooks_(std::move(hooks)),
      policy_(unit_.restart),
      timer_(loop),
      watchdog_(loop) {
  status_.since = loop_.now();
}

void Child::launch() {
  if (status_.state == State::waiting) status_.why.clear();  // what it waited for is there
  cause_.clear();
  reason_ = {};
  watched_ = false;
  auto started = launcher_.launch(unit_.command, [this](Exit exit) { on_exit(exit); });
  if (!started) {
    cause_ = started.error().message;
    enter(State::starting);
    return on_exit({Exit::How::never_started, 0});
  }
  process_ = std::move(*started);
  status_.process = process_->id();
  status_.status_line.clear();
  enter(State::starting);
  await_ready();
}

void Child::await_ready() {
  timer_.start(unit_.start_timeout, [this] {
    if (!hooks_.may_judge() || status_.state != State::starting) return;
    overdue("was not ready within " + to_text(unit_.start_timeout) + " (no READY=1 on NOTIFY_SOCKET)", "start_timeout",
            SIGKILL);
  });
}

void Child::new_start() {
  if (!process_ || !cause_.empty()) return;  // it is being ended
  if (status_.state == State::starting) await_ready();
  if (status_.state == State::ready && watched_) pet();
}

bool Child::adopt(ProcessId id) {
  auto adopted = launcher_.adopt(id, [this](Exit exit) { on_exit(exit); });
  if (!adopted) return false;
  process_ = std::move(*adopted);
  status_.process = id;
  enter(State::ready);
  return true;
}

void Child::notified(const Notification& notification) {
  if (!notification.status.empty()) status_.status_line = notification.status;
  watched_ = watched_ || notification.watchdog;
  if (notification.ready && status_.state == State::starting) {
    timer_.stop();
    status_.startup = loop_.now() - status_.since;
    status_.why.clear();
    enter(State::ready);
  }
  if (status_.state == State::ready && (notification.watchdog || (notification.ready && watched_))) pet();
}

void Child::pet() {
  watchdog_.start(unit_.watchdog, [this] {
    if (!hooks_.may_judge() || watchdog_.running()) return;
    overdue("gave no sign of life for " + to_text(unit_.watchdog), "watchdog", SIGABRT);
    watchdog_.start(kAbortGrace, [this] { kill(); });
  });
}

void Child::overdue(std::string why, std::string_view reason, int signal) {
  cause_ = std::move(why);
  reason_ = reason;
  if (signal == SIGKILL) return kill();
  if (process_) process_->signal(signal);
}

void Child::stop() {
  if (status_.state == State::stopping) return;
  timer_.stop();
  watchdog_.stop();
  if (!process_) return enter(State::stopped);
  process_->signal(SIGTERM);
  process_->signal(SIGCONT);  // a halted process sees TERM only when it goes on
  enter(State::stopping);
  timer_.start(unit_.stop_timeout, [this] {
    overdue("did not end within " + to_text(unit_.stop_timeout) + " after TERM", "stop_timeout", SIGKILL);
  });
}

void Child::kill() noexcept {
  if (process_) process_->kill_group();
}

void Child::revive() {
  if (status_.state != State::stopped && status_.state != State::done && status_.state != State::failed) return;
  policy_.forget();
  status_.why.clear();
  enter(State::waiting);
}

void Child::say_why(std::string why) {
  if (status_.why == why) return;
  status_.why = std::move(why);
  observer_.changed(unit_, status_);
}

void Child::on_exit(Exit exit) {
  const auto was = status_.state;
  const auto ran = was == State::ready ? loop_.now() - status_.since : Duration::zero();
  process_.reset();
  timer_.stop();
  watchdog_.stop();
  status_.process = {};
  Ended ended;
  ended.exit = exit;
  ended.expected = was == State::stopping;
  ended.reason = reason_.empty() ? exit.reason() : reason_;
  ended.why = exit.how == Exit::How::never_started ? cause_
              : cause_.empty()                     ? exit.text()
                                                   : cause_ + " and " + exit.text();
  status_.why = ended.why;
  if (ended.expected) {
    enter(State::stopped);
    return observer_.ended(unit_, status_, ended);
  }
  ended.decision = policy_.on_exit(loop_.now(), exit, ran);
  switch (ended.decision.action) {
    case Decision::Action::restart:
      ++status_.restarts;
      timer_.start(ended.decision.delay, [this] { hooks_.changed(); });
      enter(State::backoff);
      break;
    case Decision::Action::rest:
      enter(State::done);
      break;
    case Decision::Action::give_up:
      enter(State::failed);
      break;
  }
  observer_.ended(unit_, status_, ended);
}

void Child::enter(State state) {
  status_.state = state;
  status_.since = loop_.now();
  observer_.changed(unit_, status_);
  hooks_.changed();
}

}  // namespace weft::node
