// What the dispatcher keeps of a call that is being handled: the call, where its answer goes, its stream. Private to
// calls.
#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>

#include "weft/base/hash.hpp"
#include "weft/calls/dispatcher.hpp"

namespace weft::calls {

using DispatchKey = std::pair<std::uint64_t, std::uint64_t>;  // connection, correlation id
struct DispatchKeyHash {
  std::size_t operator()(const DispatchKey& key) const noexcept {
    return murmur_mix(key.first * kGoldenRatio ^ key.second);
  }
};

/// The coroutine that handles a request: begins at once, and its frame is gone when it has answered.
struct Dispatcher::Running {
  struct promise_type : detail::FromFramePool {
    promise_type(Dispatcher&, Active& of) noexcept;
    Running get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};

struct Dispatcher::Active {
  net::Connection from;
  Method* method = nullptr;
  std::coroutine_handle<> running;
  std::optional<Call> call;
  Duration queued{};
  TimePoint begin;
  std::shared_ptr<CalleeStream> stream{};  // of a stream method
  bool abandoned = false;                  // its caller waits no longer
  DispatchKey key() const noexcept { return {from.id(), call->id()}; }
};
inline Dispatcher::Running::promise_type::promise_type(Dispatcher&, Active& of) noexcept {
  of.running = std::coroutine_handle<promise_type>::from_promise(*this);
}

/// The callee's end of a stream. Over when its call is.
class Dispatcher::CalleeStream final : public StreamCore {
 public:
  CalleeStream(Dispatcher& dispatcher, Active& active, std::uint32_t caller_window, bool caller_writes)
      : StreamCore(dispatcher.loop_, kCalleeWindow, Duration::zero()),
        dispatcher_(dispatcher),
        active_(&active),
        caller_window_(caller_window) {
    expects_chunks(caller_writes);
    may_send(caller_window);
    if (caller_window == 0) may_write(false);
    if (caller_writes) grant(window());
  }
  using StreamCore::take_chunk;
  using StreamCore::take_credit;
  void close(Error why) {
    active_ = nullptr;
    fail(std::move(why));
  }

 private:
  Result<void> send(wire::Kind kind, std::uint8_t flags, Payload& payload) override {
    if (!active_) return Error(codes::stream_closed, "the stream is over");
    wire::Header header;
    header.kind = kind;
    header.flags = flags;
    header.id = active_->call->id();
    header.encoding = payload.encoding;
    header.sender = dispatcher_.sender_;
    header.epoch = dispatcher_.epoch_;
    return dispatcher_.server_.send(active_->from, header, payload.bytes);
  }
  void break_off(Error error) override { fail(std::move(error)); }  // the handler's answer tells the caller

  static constexpr std::uint32_t kCalleeWindow = 1024 * 1024;
  Dispatcher& dispatcher_;
  Active* active_;
  std::uint32_t caller_window_;
};
struct Dispatcher::Table : boost::unordered_flat_map<DispatchKey, Active*, DispatchKeyHash> {};

}  // namespace weft::calls
