// What is set per system, actor and mailbox. Each number is a default.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "weft/actor/message.hpp"
#include "weft/actor/supervision.hpp"

namespace weft::actor {

/// What happens to a message that finds the mailbox full.
enum class Overflow : std::uint8_t {
  by_priority,  ///< critical and high: block; normal: fail; low: drop_newest
  block,        ///< deliver() and send_wait() wait, first come first served; send() answers `mailbox_full`
  fail,         ///< the sender gets `mailbox_full`, which names the capacity
  drop_newest,  ///< the sender gets `message_dropped`
  drop_oldest,  ///< the oldest that waits is dropped and counted
  redirect,     ///< the message goes to `redirect_to`
};

struct MailboxOptions {
  std::uint32_t capacity = 1000;  ///< messages that wait; 0: unbounded
  Overflow overflow = Overflow::by_priority;
  Address redirect_to{};
};

struct SpawnOptions {
  std::string name{};  ///< of the rules of check_actor_name(); empty: no name
  MailboxOptions mailbox{};
  std::optional<unsigned> worker{};  ///< runs there only; default: wherever there is time
};

/// At most 128 characters of [A-Za-z0-9_.:/@-]. Errors: `bad_name`.
Result<void> check_actor_name(std::string_view name);

/// How a child is stopped.
struct Shutdown {
  enum class Kind : std::uint8_t {
    graceful,   ///< finishes the message in hand, post_stop(); after `time` it is given up as `killed`
    immediate,  ///< as graceful, but without waiting for it, and post_stop() does not run
    infinite,   ///< as graceful, without a limit
  };
  Kind kind = Kind::graceful;
  Duration time = 5s;
};

/// What an actor class answers to HealthCheck if it wants to be checked.
enum class Health : std::uint8_t { healthy, degraded, failed };
struct HealthCheck {
  using Reply = Health;
};
struct HealthOptions {
  Duration interval{};  ///< 0: no checks
  Duration timeout = 1s;
  std::uint32_t threshold = 3;  ///< failed ones (or without an answer in time) in a row until a restart
};

struct ChildOptions {
  std::string name{};
  Restart restart = Restart::permanent;
  bool significant = false;  ///< the supervisor fails when this child is given up
  Shutdown shutdown{};
  HealthOptions health{};
  MailboxOptions mailbox{};
  bool keep_mailbox = true;  ///< over a restart
  std::optional<unsigned> worker{};
};

struct SystemOptions {
  std::uint64_t actors_max = 0;  ///< live at once; 0: no limit
  std::size_t dead_letters_max = 10'000;
  SupervisorOptions root{};  ///< of the supervisor of all; when it fails, the system stops
  std::uint64_t seed = 0;    ///< of random picks
};
/// Errors: `bad_value` that names the field.
Result<void> check(const SystemOptions& options);
Result<void> check(const MailboxOptions& options);
Result<void> check(const ChildOptions& options);
Result<void> check(const SupervisorOptions& options);

}  // namespace weft::actor
