// Call: one incoming request, and how calls are made. What authors of handlers and callers see.
#pragma once
#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/wire/payload.hpp"
#include "weft/wire/wire.hpp"

namespace weft::calls {

using wire::Headers;
using wire::Payload;

class Call;

/// Work that is done on the loop when the caller of a call stops waiting. Ends with its owner. Loop-bound.
class CancelHook {
 public:
  CancelHook() = default;
  CancelHook(const CancelHook&) = delete;
  CancelHook& operator=(const CancelHook&) = delete;
  ~CancelHook() { detach(); }
  /// Once. `work` runs at most once, and at once when the caller has stopped waiting already. It may destroy the hook.
  void attach(const Call& call, Callback work);
  void detach() noexcept {
    if (!previous_) return;
    *previous_ = next_;
    if (next_) next_->previous_ = previous_;
    previous_ = nullptr;
  }

 private:
  friend class Call;
  Callback work_;
  CancelHook* next_ = nullptr;
  CancelHook** previous_ = nullptr;  // what points here; null: not attached
};

/// One incoming request. Lives until its handler has finished.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { detach_hooks(); }

  std::string_view method() const noexcept { return method_; }  ///< without the agent
  const Payload& payload() const noexcept { return payload_; }
  std::uint64_t id() const noexcept { return header_.id; }  ///< as its caller numbered it
  std::uint64_t sender() const noexcept { return header_.sender; }
  const TraceContext& trace() const noexcept { return header_.trace; }
  std::uint8_t priority() const noexcept { return header_.priority; }
  /// How many calls on behalf of calls led here; calls made with `CallOptions::within` continue the count.
  std::uint8_t depth() const noexcept { return header_.depth; }
  bool has_deadline() const noexcept { return has_deadline_; }
  TimePoint deadline() const noexcept { return deadline_; }
  /// What is left of the caller's budget; it is inherited by calls made with `CallOptions::within`. Never negative; the
  /// longest Duration without a deadline.
  Duration remaining(TimePoint now) const noexcept {
    return has_deadline_ ? std::max(deadline_ - now, Duration::zero()) : Duration::max();
  }
  /// True when the caller told that it stopped waiting.
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  /// The caller's key for work that must be done once however often it is sent; empty: none.
  std::string_view key() const noexcept { return extension_.key; }
  /// The calls that wait for this one, outermost first; see wire::walk_chain().
  BytesView chain() const noexcept { return extension_.chain; }
  /// The caller's own headers. Errors: `bad_envelope`.
  Result<Headers> headers() const;
  /// When its handler began, where that was told, because it waited for its turn; else the epoch.
  TimePoint begun() const noexcept { return begun_; }
  void set_begun(TimePoint when) noexcept { begun_ = when; }

 private:
  friend class Dispatcher;
  friend class CancelHook;
  void detach_hooks() noexcept {
    while (hooks_) hooks_->detach();
  }
  /// Tells every hook, once.
  void cancel() noexcept;

  std::string_view method_;  // lies in the dispatcher's table
  Payload payload_;
  wire::Header header_;
  Bytes extension_bytes_;
  wire::Extension extension_;   // borrows extension_bytes_
  std::string_view full_name_;  // "agent.method"; lies in the dispatcher's table
  TimePoint deadline_{}, begun_{};
  bool has_deadline_ = false;
  std::atomic<bool> cancelled_{false};
  mutable CancelHook* hooks_ = nullptr;
  friend class Caller;
};

/// The outcome is the reply or the error that the caller gets; an exception becomes `handler_failed`.
using Handler = UniqueFunction<Task<Result<Payload>>(Call&)>;

struct CallOptions {
  // No aggregate: gcc 12 copies braced aggregates bitwise into the frame of a co_await expression
  // (docs/decisions/0008).
  CallOptions() = default;
  explicit CallOptions(Duration budget) : timeout(budget) {}
  explicit CallOptions(const Call& on_behalf_of) : within(&on_behalf_of) {}

  /// The whole budget, retries included; shortened to what `within` has left; zero: none. Empty: that of the target's
  /// policy, which is 5 s when nobody says otherwise.
  std::optional<Duration> timeout;
  Rare<std::string> host;      ///< only instances on this host
  Rare<std::string> instance;  ///< only this instance (id)
  Rare<std::string> key;       ///< idempotency: calls with the same key have one effect, and the same answer
  Rare<std::string>
      affinity;  ///< calls with the same one go to the same instance, for as long as it is there and has room
  /// Sent a second time, to another instance, when there is no answer by then; the first answer counts. For work that
  /// may be done twice. Empty: as the target's policy says; zero: never.
  std::optional<Duration> hedge_after;
  Rare<Headers> headers;
  std::uint8_t priority = 0;
  /// Sent one time and held for as long as its callee likes, whatever the target's policy says: no retry, hedge or
  /// attempt_timeout, and never slow for its circuit. For work that must not be done twice, and for long polls.
  bool once = false;
  /// The call on whose behalf this one is made: depth, trace, deadline, chain; cancelled together with it.
  const Call* within = nullptr;
  TraceContext trace{};  ///< without `within`: the trace that this call continues, such as that of an Event
};

}  // namespace weft::calls
