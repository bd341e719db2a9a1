// Context: what a handler does with the world. Handlers get it as their last argument.
#pragma once
#include <coroutine>
#include <memory>
#include <string>
#include <string_view>

#include "weft/actor/message.hpp"
#include "weft/actor/options.hpp"
#include "weft/actor/reply.hpp"
#include "weft/actor/spec.hpp"

namespace weft::actor {

/// What watch() delivers: the watched actor has ended. A restart is not an end.
struct Down {
  Address actor;
  std::string name;
  Reason reason = Reason::normal;
  std::string what;  ///< of the exception, or empty
};

/// Of one message in hand. Valid until its handler has returned or, as a coroutine, ended; used in that actor's turns
/// only.
class Context {
 public:
  Address self() const noexcept;
  /// The sender of the current message; no actor (0) if it came from outside of the system.
  Address sender() const noexcept;
  /// Of the message in hand, or null.
  const Trace* trace() const noexcept;
  TimePoint now() const noexcept;
  System& system() const noexcept;

  /// Never waits. Errors: `no_such_actor`, `mailbox_full`, `message_dropped`, `actor_closed`; what is refused is
  /// destroyed.
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
  /// `co_await context.deliver(to, message)`: waits where the mailbox is full and its policy is to block.
  /// Errors: as send(); `mailbox_full` after `timeout` (0: no limit).
  template <class M>
  Delivery deliver(const Address& to, M&& message, Duration timeout = {}, SendOptions options = {}) {
    return Delivery(*cell_, to, stamped(detail::envelope_of(std::forward<M>(message)), options), timeout);
  }
  template <class T, class M>
  Delivery deliver(const Ref<T>& to, M&& message, Duration timeout = {}, SendOptions options = {}) {
    static_assert(handles<T, std::remove_cvref_t<M>>, "this actor class does not handle this message");
    return deliver(static_cast<const Address&>(to), std::forward<M>(message), timeout, options);
  }

  /// Sends at once: `auto answer = context.request(to, Look{city}, 1s);`, then `co_await answer` brings it. In one
  /// expression gcc 12 destroys what braces made twice (docs/decisions/0008). Errors: `no_reply` after `timeout` (0: no
  /// limit), `no_such_actor`, `actor_closed`, `actor_failed` (its handler threw), `not_handled`, `call_cycle`,
  /// `mailbox_full`, and what the handler answered.
  template <class T, class M>
  Reply<ReplyOf<T, std::remove_cvref_t<M>>> request(const Ref<T>& to, M&& message, Duration timeout,
                                                    SendOptions options = {}) {
    using R = ReplyOf<T, std::remove_cvref_t<M>>;
    return Reply<R>(*cell_, to, stamped(detail::envelope_of(std::forward<M>(message)), options), timeout);
  }
  /// To an actor of a class unknown here: the caller says what it answers.
  template <class R, class M>
  Reply<R> request(const Address& to, M&& message, Duration timeout, SendOptions options = {}) {
    return Reply<R>(*cell_, to, stamped(detail::envelope_of(std::forward<M>(message)), options), timeout);
  }
  /// The answer is not what the handler returns, but what is given to this, now or later. Dropped unused it answers
  /// `actor_failed`.
  template <class R>
  Responder<R> reply_later() {
    return Responder<R>(take_return());
  }
  /// An answer that another thread or a callback will give through `give`, which this sets:
  /// `actor::Responder<int> give; auto answer = context.promise(give, 1s);`, then `co_await answer`.
  template <class R>
  Reply<R> promise(Responder<R>& give, Duration timeout) {
    return Reply<R>(*cell_, give.address_, timeout);
  }

  /// `co_await context.sleep(1s)`.
  Sleep sleep(Duration delay) { return Sleep(*cell_, delay); }
  /// Sends `message` to this actor after `delay`; at once for one in the past. Ends with the actor.
  template <class M>
  TimerId send_after(Duration delay, M message) {
    auto held = std::make_shared<M>(std::move(message));
    return schedule(delay, {}, [held] { return detail::envelope_of(std::move(*held)); });
  }
  /// Every `period` (at least 1 ms), the first time after one; a turn that comes late is not made up for.
  template <class M>
  TimerId send_every(Duration period, M message) {
    period = std::max<Duration>(period, 1ms);
    return schedule(period, period, [message] { return detail::envelope_of(M(message)); });
  }
  /// False when it is over already.
  bool cancel(TimerId timer) noexcept;

  /// A child: it stops before this actor does. The constructor runs here, pre_start() in the child's first turn.
  /// Errors: `actor_failed` (the constructor threw), `actor_exists`, `bad_name`, `too_many_actors`, `system_stopping`,
  /// `bad_value` (options).
  template <class T, class... Args>
  Result<Ref<T>> spawn(SpawnOptions options, Args&&... args) {
    auto spawned = detail::spawn<T>(runtime(), cell_, std::move(options), std::forward<Args>(args)...);
    if (!spawned) return std::move(spawned.error());
    return Ref<T>(*spawned);
  }
  /// With the options of SpawnOptions{}.
  template <class T, class... Args>
  requires detail::NoOptions<Args...> Result<Ref<T>> spawn(Args&&... args) {
    return spawn<T>(SpawnOptions{}, std::forward<Args>(args)...);
  }
  /// Stops `actor`: its children first, then itself after the message in hand. A supervised one is forgotten by its
  /// supervisor.
  void stop(const Address& actor);
  /// Stops this actor after this handler, reason `normal`. What waits in its mailbox becomes dead letters.
  void stop() noexcept;

  /// Delivers Down when `actor` has ended; at once, with `not_found`, if it does not exist. Twice delivers it twice.
  void watch(const Address& actor);
  void unwatch(const Address& actor);

  /// Messages published to topics that match `pattern` (`*` one segment, `#` any number) come as messages. Errors:
  /// `bad_topic`.
  Result<void> subscribe(std::string_view pattern);
  void unsubscribe(std::string_view pattern);
  /// A copy to each subscriber; its mailbox's policy decides, without waiting. Returns how many took it. Errors:
  /// `bad_topic`.
  template <class M>
  Result<std::size_t> publish(std::string_view topic, const M& message, SendOptions options = {}) {
    return publish_copies(
        topic, options, [](const void* original) { return detail::envelope_of(M(*static_cast<const M*>(original))); },
        &message);
  }

  /// The context of the actor that is running, without a current message; for libraries that are called from handlers.
  /// Throws std::logic_error outside of turns.
  static Context current();
  static bool in_turn() noexcept;

  Context(Cell& cell, Envelope* envelope) noexcept : cell_(&cell), envelope_(envelope) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  Runtime& runtime() const noexcept;
  Result<void> submit(const Address& to, Envelope* envelope, const SendOptions& options);
  Result<void> submit(std::string_view name, Envelope* envelope, const SendOptions& options);
  Envelope* stamped(Envelope* envelope, const SendOptions& options);
  ReturnAddress take_return() noexcept;
  TimerId schedule(Duration delay, Duration period, UniqueFunction<Envelope*()> make);
  Result<std::size_t> publish_copies(std::string_view topic, const SendOptions& options, Envelope* (*copy)(const void*),
                                     const void* original);

  Cell* cell_;
  Envelope* envelope_;  // null in hooks
};

}  // namespace weft::actor
