// When a process that ended is started again: kind, backoff, and the number of restarts after which it stays down.
// Pure.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>

#include "weft/base/backoff.hpp"
#include "weft/base/base.hpp"
#include "weft/base/restart.hpp"

namespace weft::node {

/// How a process ended.
struct Exit {
  enum class How : std::uint8_t {
    exited,         ///< `value` is its exit code
    signalled,      ///< `value` is the signal
    unknown,        ///< it was adopted: only that it ended is known
    never_started,  ///< `value` is the errno of the attempt
  } how = How::exited;
  int value = 0;

  bool success() const noexcept { return how == How::exited && value == 0; }
  /// 64 and 78 of sysexits(3): another try with the same configuration cannot help.
  bool bad_config() const noexcept { return how == How::exited && (value == 64 || value == 78); }
  /// "exited with 1", "was killed by signal 9 (Killed)".
  std::string text() const;
  /// One of few words, for a metric: "exit", "signal", "unknown", "start".
  std::string_view reason() const noexcept;
};

using weft::Restart;  ///< of a process a failure is every end but exit code 0

/// What to do about one end.
struct Decision {
  enum class Action : std::uint8_t {
    restart,  ///< after `delay`
    rest,     ///< it did its work: state done
    give_up,  ///< state failed, until a person starts it again
  } action = Action::rest;
  Duration delay{};
  bool crash_loop = false;  ///< more restarts than allowed within the window
};

class RestartPolicy {
 public:
  struct Options {
    Restart kind = Restart::permanent;
    int restarts_max = 5;  ///< within `window`; one more and it stays down
    Duration window = 60s;
    Duration delay_min = 100ms;  ///< doubled for each restart in a row
    Duration delay_max = 60s;
    Duration healthy = 10s;  ///< a run that was ready and lasted longer is restarted at once
    bool essential =
        false;  ///< never given up: past restarts_max it is restarted after delay_max each, with crash_loop
  };
  explicit RestartPolicy(Options options)
      : options_(options),
        window_({static_cast<std::uint32_t>(std::max(options.restarts_max, 0)), options.window}),
        backoff_(options.delay_min, options.delay_max) {}

  /// `ran`: how long the process was ready; zero when it never was.
  Decision on_exit(TimePoint now, const Exit& exit, Duration ran);
  /// A person started it: what was before does not count any more.
  void forget();

 private:
  Duration next_delay(Duration ran);

  Options options_;
  RestartWindow window_;
  Backoff backoff_;
};

}  // namespace weft::node
