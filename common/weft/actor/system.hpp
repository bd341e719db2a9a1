// System: all actors of one scheduler, their names, dead letters and shutdown.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/actor/behaviour.hpp"
#include "weft/actor/monitor.hpp"
#include "weft/actor/pool.hpp"
#include "weft/actor/scheduler.hpp"

namespace weft::actor {

/// Sums over all actors, since the start. Counts are exact when nothing runs.
struct Totals {
  std::uint64_t actors = 0;  ///< live now
  std::uint64_t spawned = 0, stopped = 0, failures = 0, restarts = 0, gave_up = 0;
  std::uint64_t sent = 0;                             ///< accepted by a mailbox
  std::uint64_t handled = 0;                          ///< handed to a handler
  std::array<std::uint64_t, kDropReasons> dropped{};  ///< by Drop
  std::uint64_t depth = 0;                            ///< messages that wait now
};

enum class State : std::uint8_t { starting, running, stopping, stopped, failed };
inline constexpr std::size_t kStateCount = static_cast<std::size_t>(State::failed) + 1;
std::string_view to_string(State state) noexcept;

/// One actor as it was at some moment.
struct ActorInfo {
  Address address;
  std::uint64_t parent = 0;  ///< id; 0: it is the root
  std::string name;          ///< or empty
  std::string_view type;     ///< of its class
  State state = State::running;
  bool supervisor = false, busy = false;  ///< busy: a turn or a waiting handler holds it
  std::uint32_t restarts = 0;             ///< 255: or more; its events on the monitor have the exact number
  std::uint32_t depth = 0, capacity = 0;
  std::uint32_t sent = 0, received = 0;               ///< let into its mailbox, taken out of it; modulo 2^32
  std::array<std::uint64_t, kDropReasons> dropped{};  ///< by Drop
  Duration oldest{};  ///< age of the oldest message that waits or is in hand; about 20 ms exact
};

struct DeadLetter {
  std::uint64_t number = 0;  ///< for resend()
  std::uint64_t target = 0;  ///< id; 0: there never was one
  std::string target_name;
  std::string_view message;  ///< type
  std::uint64_t sender = 0;
  Drop reason = Drop::no_such_actor;
  TimePoint time{};
};

struct ShutdownReport {
  bool clean() const noexcept { return stuck.empty() && undelivered == 0; }
  std::vector<ActorInfo> stuck;   ///< did not stop within the budget: a handler does not return
  std::uint64_t undelivered = 0;  ///< accepted messages that were not handled
};

namespace detail {
/// Blocks its thread until the answer is there.
class Blocking;
}  // namespace detail

/// An answer on its way to a plain thread. Moves; dropping it forgets the answer.
template <class R>
class Pending;

/// Thread-safe, every function. Destroy it before its scheduler's loop, and from no actor.
class System {
 public:
  /// `monitor` is borrowed and outlives the system. Throws std::invalid_argument for options that check() refuses.
  explicit System(std::unique_ptr<Scheduler> scheduler, SystemOptions options = {}, Monitor* monitor = nullptr);
  /// Stops at once what still lives (without a drain) and waits for handlers that run.
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  /// An actor without a supervisor: it is not restarted. Errors: see Context::spawn.
  template <class T, class... Args>
  Result<Ref<T>> spawn(SpawnOptions options, Args&&... args) {
    auto spawned = detail::spawn<T>(*runtime_, nullptr, std::move(options), std::forward<Args>(args)...);
    if (!spawned) return std::move(spawned.error());
    return Ref<T>(*spawned);
  }
  /// With the options of SpawnOptions{}.
  template <class T, class... Args>
  requires detail::NoOptions<Args...> Result<Ref<T>> spawn(Args&&... args) {
    return spawn<T>(SpawnOptions{}, std::forward<Args>(args)...);
  }
  /// A child of `supervisor`, or of the root one: the address takes messages at once, the child is started by its
  /// supervisor. Errors: see Context::spawn; `no_such_actor` when that is no supervisor.
  Result<Address> start(ChildSpec spec, const Address& supervisor = {});
  template <class T, class... Args>
  Result<Ref<T>> start(const Address& supervisor, ChildOptions options, Args... args) {
    auto started = start(child<T>(std::move(options), std::move(args)...), supervisor);
    if (!started) return std::move(started.error());
    return Ref<T>(*started);
  }
  /// Members "<name>/0" … under a supervisor "<name>". Errors: see Context::spawn.
  template <class T, class... Args>
  Result<Pool<T>> start_pool(PoolOptions options, Args... args) {
    auto started = start_pool(std::move(options), child<T>({}, std::move(args)...));
    if (!started) return std::move(started.error());
    return Pool<T>(std::move(*started));
  }
  /// See Context::stop.
  void stop(const Address& actor);

  /// See Context::send. From an actor's handler use its Context: that keeps the sender.
  template <class M>
  Result<void> send(const Address& to, M&& message, SendOptions options = {}) {
    return submit(to, detail::envelope_of(std::forward<M>(message)), options);
  }
  template <class T, class M>
  Result<void> send(const Ref<T>& to, M&& message, SendOptions options = {}) {
    static_assert(handles<T, std::remove_cvref_t<M>>, "this actor class does not handle this message");
    return submit(to, detail::envelope_of(std::forward<M>(message)), options);
  }
  /// To an actor, or to a member of a pool, by name; an unknown name makes a dead letter.
  template <class M>
  Result<void> send(std::string_view name, M&& message, SendOptions options = {}) {
    return submit(name, detail::envelope_of(std::forward<M>(message)), options);
  }
  /// For plain threads: waits where the policy is to block, at most `timeout` (0: without limit). Not from an actor.
  template <class M>
  Result<void> send_wait(const Address& to, M&& message, Duration timeout = {}, SendOptions options = {}) {
    return submit_wait(to, detail::envelope_of(std::forward<M>(message)), options, timeout);
  }
  template <class T, class M>
  Result<void> send_wait(const Ref<T>& to, M&& message, Duration timeout = {}, SendOptions options = {}) {
    static_assert(handles<T, std::remove_cvref_t<M>>, "this actor class does not handle this message");
    return send_wait(static_cast<const Address&>(to), std::forward<M>(message), timeout, options);
  }
  /// For plain threads; `ask(…).wait(1s)`. Not from an actor. Errors of wait(): see Context::request.
  template <class T, class M>
  Pending<ReplyOf<T, std::remove_cvref_t<M>>> ask(const Ref<T>& to, M&& message, SendOptions options = {}) {
    return ask<ReplyOf<T, std::remove_cvref_t<M>>>(static_cast<const Address&>(to), std::forward<M>(message), options);
  }
  template <class R, class M>
  Pending<R> ask(const Address& to, M&& message, SendOptions options = {}) {
    return Pending<R>(*this, to, detail::envelope_of(std::forward<M>(message)), options);
  }
  /// The answer goes to `port`, on whatever thread gives it.
  void ask(const Address& to, Envelope* request, const SendOptions& options, ReplyPort& port);

  /// See Context::publish.
  template <class M>
  Result<std::size_t> publish(std::string_view topic, const M& message, SendOptions options = {}) {
    return publish_copies(
        topic, options, [](const void* original) { return detail::envelope_of(M(*static_cast<const M*>(original))); },
        &message);
  }

  /// Nobody for an unknown name; for a pool, a member.
  Address find(std::string_view name) const;
  /// The same where the class is known; see Ref.
  template <class T>
  Ref<T> find(std::string_view name) const {
    return Ref<T>(find(name));
  }
  std::optional<ActorInfo> info(const Address& actor) const;
  /// All actors, each as it was at some moment of the call; at most `limit`. Does not wait for busy ones.
  std::vector<ActorInfo> snapshot(std::size_t limit = SIZE_MAX) const;
  Totals totals() const;
  /// Oldest first; the newest dead_letters_max are kept.
  std::vector<DeadLetter> dead_letters() const;
  /// Sends it to `to`, or to its original receiver. Errors: `no_such_actor` (no such letter), and as send().
  Result<void> resend(std::uint64_t number, const Address& to = {});

  /// Refuses new work from outside, lets actors handle what was accepted, stops all in reverse order, and tells what
  /// did not stop. Not from an actor. With an on_loop() scheduler it must be awaited: see shutdown_async().
  ShutdownReport shutdown(Duration budget = 30s);
  /// The same for a system that runs on the loop: `done` is called there.
  void shutdown_async(Loop& loop, Duration budget, UniqueFunction<void(ShutdownReport)> done);
  /// Set when the root supervisor failed: why; the system has stopped all actors.
  std::optional<std::string> failure() const;

  const Clock& clock() const noexcept;
  Scheduler& scheduler() noexcept;
  Runtime& runtime() const noexcept { return *runtime_; }

 private:
  /// Refuses (and drops) while the system stops.
  Result<void> taking(const Address& to, Envelope* envelope);
  Result<void> submit(const Address& to, Envelope* envelope, const SendOptions& options);
  Result<void> submit(std::string_view name, Envelope* envelope, const SendOptions& options);
  Result<void> submit_wait(const Address& to, Envelope* envelope, const SendOptions& options, Duration timeout);
  Result<std::size_t> publish_copies(std::string_view topic, const SendOptions& options, Envelope* (*copy)(const void*),
                                     const void* original);
  Result<std::shared_ptr<PoolMembers>> start_pool(PoolOptions options, ChildSpec member);

  void stop_now();

  std::unique_ptr<Runtime> runtime_;
};

}  // namespace weft::actor

#include "weft/actor/pending.hpp"  // IWYU pragma: export
