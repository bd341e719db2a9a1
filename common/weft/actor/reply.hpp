// What a coroutine handler waits for: an answer, room in a mailbox, time. Each takes itself back when its frame is
// destroyed, so an actor that stops leaves nothing behind.
#pragma once
#include <coroutine>
#include <memory>
#include <optional>

#include "weft/actor/message.hpp"
#include "weft/actor/timers.hpp"

namespace weft::actor {

/// The answer of a handler that returns nothing.
struct Done {};

using TimerId = std::uint64_t;  ///< 0: no timer

/// Receives one answer for a requester that is not an actor. Private to the runtime.
class ReplyPort {
 public:
  virtual ~ReplyPort() = default;
  /// A value or an error; owns it. Called exactly once, on any thread.
  virtual void answer(Envelope* reply) noexcept = 0;
};

/// Where an answer goes. Movable; dropping it unused answers `actor_failed`. Thread-safe to use once.
class ReturnAddress {
 public:
  ReturnAddress() = default;
  ReturnAddress(ReturnAddress&& other) noexcept;
  ReturnAddress& operator=(ReturnAddress&& other) noexcept;
  ~ReturnAddress();
  explicit operator bool() const noexcept { return correlation_ != 0; }
  void answer(Envelope* reply) noexcept;

 private:
  friend class Runtime;
  friend class Context;
  friend class ReplyBase;
  Address to_;
  std::uint64_t correlation_ = 0;
  bool external_ = false;
};

/// Answers a request later, once, from any thread.
template <class R>
class Responder {
 public:
  Responder() = default;
  void operator()(R value) { address_.answer(Envelope::make<R>(Envelope::Kind::value, std::move(value))); }
  void fail(Error error) { address_.answer(Envelope::make<Error>(Envelope::Kind::error, std::move(error))); }
  explicit operator bool() const noexcept { return static_cast<bool>(address_); }

 private:
  friend class Context;
  explicit Responder(ReturnAddress address) noexcept : address_(std::move(address)) {}
  ReturnAddress address_;
};

namespace detail {
/// Who waits, and in which trace. Private to the runtime.
class Suspended {
 public:
  explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
  void set(std::coroutine_handle<> waiting) noexcept {
    handle_ = waiting;
    if (const TraceContext* trace = current_trace()) trace_ = *trace;
  }
  void resume() const {
    const TraceScope scope(trace_);  // a copy: *this may be destroyed before the scope ends
    handle_.resume();
  }

 private:
  std::coroutine_handle<> handle_;
  TraceContext trace_;
};
}  // namespace detail

/// A requester with an open reply slot. Private to the runtime.
class Waiter {
 public:
  /// In the actor's turn; borrows the envelope.
  virtual void take(Envelope& reply) = 0;

 protected:
  ~Waiter() = default;
};

/// The part of Reply that does not know its type. Not moved: it is waited for where it was made.
class ReplyBase : protected Waiter, protected TimerEntry {
 public:
  bool await_ready() const noexcept { return over_; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_.set(waiting); }

 protected:
  ReplyBase(Cell& cell, const Address& to, Envelope* request, Duration timeout);
  ReplyBase(Cell& cell, ReturnAddress& give, Duration timeout);
  ~ReplyBase();
  ReplyBase(const ReplyBase&) = delete;
  ReplyBase& operator=(const ReplyBase&) = delete;
  virtual bool take_value(Envelope& reply) = 0;

  std::unique_ptr<Error> error_;

 private:
  void take(Envelope& reply) final;
  void due() final;
  void finish();

  Cell& cell_;
  detail::Suspended waiting_;
  std::uint64_t correlation_ = 0;
  Duration timeout_;
  bool over_ = false;
};

/// `Result<R> answer = co_await context.request(…);`
template <class R>
class [[nodiscard]] Reply final : public ReplyBase {
 public:
  Result<R> await_resume() {
    if (error_) return std::move(*error_);
    return std::move(*value_);
  }

 private:
  friend class Context;
  Reply(Cell& cell, const Address& to, Envelope* request, Duration timeout) : ReplyBase(cell, to, request, timeout) {}
  Reply(Cell& cell, ReturnAddress& give, Duration timeout) : ReplyBase(cell, give, timeout) {}
  bool take_value(Envelope& reply) override {
    if (reply.type != &message_type<R>) return false;
    value_.emplace(std::move(reply.as<R>()));
    return true;
  }
  std::optional<R> value_;
};

/// `Result<void> delivered = co_await context.deliver(…);`
class [[nodiscard]] Delivery final : private Waiter, private TimerEntry {
 public:
  ~Delivery();
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  bool await_ready() const noexcept { return over_; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { waiting_.set(waiting); }
  Result<void> await_resume();

 private:
  friend class Context;
  Delivery(Cell& cell, const Address& to, Envelope* message, Duration timeout);
  void take(Envelope& reply) override;
  void due() override;
  void finish();

  Cell& cell_;
  Address to_;
  std::uint64_t ticket_ = 0;
  detail::Suspended waiting_;
  std::unique_ptr<Error> error_;
  std::uint64_t correlation_ = 0;
  bool over_ = false;
};

/// `co_await context.sleep(1s);`
class [[nodiscard]] Sleep final : private TimerEntry {
 public:
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume() const noexcept {}

 private:
  friend class Context;
  Sleep(Cell& cell, Duration delay) noexcept : cell_(cell), delay_(delay) {}
  void due() override { waiting_.resume(); }

  Cell& cell_;
  Duration delay_;
  detail::Suspended waiting_;
};

}  // namespace weft::actor
