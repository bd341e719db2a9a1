// When a process that ended is started again: kind, backoff, and the number of restarts after which it stays down.
// Pure.
#pragma once
#include <deque>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

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

enum class Restart : std::uint8_t {
  permanent,  ///< always
  transient,  ///< unless it exited with 0
  temporary,  ///< never
};
std::string_view to_string(Restart kind) noexcept;
/// Errors: `bad_value`.
Result<Restart> from_text(std::string_view name, std::type_identity<Restart>);

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
    Duration window = std::chrono::seconds(60);
    Duration delay_min = std::chrono::milliseconds(100);  ///< doubled for each restart in a row
    Duration delay_max = std::chrono::seconds(60);
    Duration healthy = std::chrono::seconds(10);  ///< a run that was ready and lasted longer starts anew, at once
    bool essential = false;  ///< never given up: past restarts_max it goes on at delay_max and says crash_loop
  };
  explicit RestartPolicy(Options options) : options_(options) {}

  /// `ran`: how long the process was ready; zero when it never was.
  Decision on_exit(TimePoint now, const Exit& exit, Duration ran);
  /// A person started it: what was before does not count any more.
  void forget();

 private:
  Duration next_delay(Duration ran);

  Options options_;
  std::deque<TimePoint> restarts_;  // within the window, oldest first; at most restarts_max + 1
  int in_a_row_ = 0;
};

}  // namespace weft::node
