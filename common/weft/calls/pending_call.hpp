// PendingCall: a call that waits for its answer, and Attempt, one attempt of a call, which a coroutine awaits.
// Loop-bound.
#pragma once
#include <coroutine>
#include <memory>
#include <optional>
#include <string_view>

#include "weft/calls/caller.hpp"
#include "weft/policy/policy.hpp"

namespace weft::calls {

using policy::Policy;

/// What waits for envelopes under one id. Its owner withdraws it, or it ends by finish(). When the Caller ends first,
/// it does not wait any more.
class PendingCall {
 public:
  /// `to` may be null for one that never begins. Borrows all.
  PendingCall(Caller& caller, Destination* to) : caller_(caller), to_(to) {}
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;
  /// Withdraws the call when it still waits.
  virtual ~PendingCall();

 protected:
  friend class Caller;
  /// Sends the request and waits from now on. `window`: bytes of chunks that may come, for a stream.
  Result<void> begin(Outgoing& outgoing, Payload& payload, std::uint32_t window = 0);
  virtual void take(const wire::EnvelopeView& envelope) = 0;
  /// It no longer waits when this is called. May destroy it.
  virtual void ended(Result<Payload> outcome) = 0;
  void finish(Result<Payload> outcome) {
    caller_.remove(*this);
    ended(std::move(outcome));
  }
  /// Ends it, and tells the callee.
  void give_up(Error error);
  bool waits() const noexcept { return id_ != 0; }

  Caller& caller_;
  Destination* const to_;
  const Outgoing* outgoing_ = nullptr;
  std::uint64_t id_ = 0;                   // 0: not waiting
  std::unique_ptr<CancelHook> cancelled_;  // of a call on behalf of another
};

/// One attempt of a call: runs the chain, sends, waits. Lives in the frame of the coroutine that awaits it; taken back
/// when that frame is destroyed.
class Attempt final : public PendingCall {
 public:
  /// All is borrowed. With an error for `to` nothing is sent, and the chain sees that error. The payload of a large
  /// request is taken unless outgoing.keep_payload.
  Attempt(Caller& caller, Result<Destination*> to, Outgoing& outgoing, Payload& payload);

  /// Sends; true when that has failed already.
  bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
    waiter_ = waiter;
    caller_.slot(id_).frames = {waiter.address(), waiter.promise().continuation.address()};
  }
  Result<Payload> await_resume();

 private:
  void take(const wire::EnvelopeView& envelope) override;
  void ended(Result<Payload> outcome) override;

  Outgoing& call_;
  Payload& payload_;
  std::size_t ran_ = 0;  // interceptors that are to see the end
  std::coroutine_handle<> waiter_;
  std::optional<Result<Payload>> outcome_;
};

/// The deadline of a call that begins now, its header, and what it must be refused for at once. `timeout` is that of a
/// call that names none.
struct CallStart {
  TimePoint deadline = TimePoint::max();
  wire::Header header;
};
Result<void> start_call(CallStart& start, std::string_view target, const CallOptions& options, TimePoint now,
                        Duration timeout = Policy().timeout);

}  // namespace weft::calls
