#include "node/restart.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace weft::node {
namespace {
/// "SIGSEGV, Segmentation fault".
std::string signal_words(int number) {
  const char* name = ::sigabbrev_np(number);
  return (name ? "SIG" + std::string(name) + ", " : "") + ::strsignal(number);  // loop thread only
}
}  // namespace

std::string Exit::text() const {
  switch (how) {
    case How::exited:
      return "exited with " + std::to_string(value);
    case How::signalled:
      return "was killed by signal " + std::to_string(value) + " (" + signal_words(value) + ")";
    case How::unknown:
      return "ended (it was adopted, so its exit code is unknown)";
    case How::never_started:
      return std::string("could not be started: ") + std::strerror(value);
  }
  return {};
}

std::string_view Exit::reason() const noexcept {
  switch (how) {
    case How::exited:
      return "exit";
    case How::signalled:
      return "signal";
    case How::unknown:
      return "unknown";
    case How::never_started:
      return "start";
  }
  return {};
}

Decision RestartPolicy::on_exit(TimePoint now, const Exit& exit, Duration ran) {
  using Action = Decision::Action;
  if (exit.bad_config() && !options_.essential) return {Action::give_up};
  const bool wanted = options_.kind == Restart::permanent || (options_.kind == Restart::transient && !exit.success());
  if (!wanted) return {exit.success() ? Action::rest : Action::give_up};

  const bool allowed = options_.restarts_max > 0 && window_.take(now);  // to the window 0 is no limit
  if (!allowed) {
    if (!options_.essential) return {Action::give_up, {}, true};
    return {Action::restart, options_.delay_max, true};
  }
  return {Action::restart, next_delay(ran)};
}

Duration RestartPolicy::next_delay(Duration ran) {
  if (ran <= options_.healthy) return backoff_.next();
  backoff_.reset();
  return Duration::zero();
}

void RestartPolicy::forget() {
  window_.reset();
  backoff_.reset();
}

}  // namespace weft::node
