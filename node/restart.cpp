#include "node/restart.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace weft::node {
namespace {
constexpr std::array<std::string_view, 3> kKinds{"permanent", "transient", "temporary"};

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

std::string_view to_string(Restart kind) noexcept { return kKinds[static_cast<std::size_t>(kind)]; }

Result<Restart> from_text(std::string_view name, std::type_identity<Restart>) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) return static_cast<Restart>(i);
  }
  return Error(codes::bad_value, "wanted permanent, transient or temporary, got '" + std::string(name) + "'" +
                                     did_you_mean(name, {kKinds.begin(), kKinds.end()}));
}

Decision RestartPolicy::on_exit(TimePoint now, const Exit& exit, Duration ran) {
  using Action = Decision::Action;
  if (exit.bad_config() && !options_.essential) return {Action::give_up};
  const bool wanted = options_.kind == Restart::permanent || (options_.kind == Restart::transient && !exit.success());
  if (!wanted) return {exit.success() ? Action::rest : Action::give_up};

  while (!restarts_.empty() && now - restarts_.front() >= options_.window) restarts_.pop_front();
  if (static_cast<int>(restarts_.size()) >= options_.restarts_max) {
    if (!options_.essential) return {Action::give_up, {}, true};
    return {Action::restart, options_.delay_max, true};
  }
  restarts_.push_back(now);
  return {Action::restart, next_delay(ran)};
}

Duration RestartPolicy::next_delay(Duration ran) {
  if (ran > options_.healthy) {
    in_a_row_ = 0;
    return Duration::zero();
  }
  Duration delay = options_.delay_min;
  for (int i = 0; i < in_a_row_ && delay < options_.delay_max; ++i) delay *= 2;
  ++in_a_row_;
  return std::min(delay, options_.delay_max);
}

void RestartPolicy::forget() {
  restarts_.clear();
  in_a_row_ = 0;
}

}  // namespace weft::node
