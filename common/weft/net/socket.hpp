// Socket: one ZeroMQ socket on the loop: options, draining, sending whole messages. Private to net.
#pragma once
#include <zmq.hpp>

#include <functional>
#include <set>

#include "weft/base/lifetime.hpp"
#include "weft/net/monitor.hpp"
#include "weft/net/net.hpp"
#include "weft/net/outbox.hpp"

namespace weft::net {

class Socket {
 public:
  /// `drain` is called when something may be received: it calls receive() until that is false.
  Socket(Loop& loop, Context& context, zmq::socket_type type, const Limits& limits, std::function<void()> drain);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// False when nothing is there, or when this turn's share is used up (the rest comes in a later turn).
  bool receive(zmq::message_t& part);
  /// The further parts of a message always come whole, whatever the share.
  bool receive_more(zmq::message_t& part);
  void skip_rest(const zmq::message_t& last);
  /// `first` may be null. With `second`, its bytes are handed to ZeroMQ without a copy.
  Sent send(const std::string_view* first, BytesView frame, Bytes* second);
  /// After sending: ZeroMQ may have taken in what arrived, without telling the loop again.
  void check_readable();
  Result<std::string> bind(const std::string& endpoint);
  Result<void> connect(const std::string& endpoint);
  void disconnect(const std::string& endpoint);
  /// After a while, for an endpoint that refused the handshake: ZeroMQ does not try such a one again.
  void connect_again(std::string_view endpoint);
  /// Called for each connection that is accepted, or made by a socket that subscribes, and for the end of the latter. A
  /// descriptor may have been that of an earlier one.
  void on_connection(std::function<void(int descriptor, std::string_view endpoint, bool open)> changed) {
    on_connection_ = std::move(changed);
  }
  /// Reports now what on_connection() is still to report.
  void drain_monitor();
  /// Closes a connection that was accepted here.
  void subscribes_too_much(int descriptor);
  zmq::socket_t& raw() noexcept { return socket_; }

 private:
  void watch_handshakes(Context& context, zmq::socket_type type);
  void accepted(int descriptor, std::string_view endpoint);
  void reconnect();
  void run_drain();
  void drain_later();

  Loop& loop_;
  const Context& context_;
  Admission& admission_;
  Security* security_;
  zmq::socket_t socket_;
  std::unique_ptr<Monitor> handshakes_;  // of clients, or with publishers
  std::set<std::string> connected_, refused_;
  std::vector<std::string> bound_;
  std::function<void(int, std::string_view, bool)> on_connection_;
  Timer again_;
  std::function<void()> drain_;
  Loop::Id watch_ = 0;
  int share_ = 0;  // messages this turn may still receive
  // Asking an empty socket costs a system call. Where the last time there was one message only, one is taken, and what
  // it leads to is sent before the socket is asked again: one system call less on the way of a lone call.
  bool one_at_a_time_ = false;
  bool must_check_ = false;
  bool draining_ = false;
  Lifetime lifetime_;
};

inline constexpr std::size_t kBatchMax = 1024 * 1024;  ///< bytes of a batch that is taken; Weft's own have 64 KiB

/// Hands each event or call envelope of one frame on; a batch is unpacked. Returns the first error found.
template <class OnOne>
Result<void> unpack(BytesView frame, BytesView detached, const wire::Limits& limits, Traffic& traffic, OnOne&& on_one) {
  auto envelope = wire::decode(frame, limits);
  if (!envelope) return envelope.error();
  if (envelope->header.kind != wire::Kind::batch) {
    if ((envelope->header.flags & wire::kFlagDetached) != 0) {
      if (detached.size() != envelope->payload_size) {
        return Error(codes::bad_envelope, "the detached payload has " + std::to_string(detached.size()) +
                                              " bytes, announced were " + std::to_string(envelope->payload_size));
      }
      envelope->payload = detached;
    }
    ++traffic.received;
    on_one(*envelope);
    return {};
  }
  if (envelope->payload.size() > kBatchMax)  // its envelopes are handled in one turn
    return Error(codes::too_large, "a batch of " + std::to_string(envelope->payload.size()) +
                                       " bytes is over the limit of " + std::to_string(kBatchMax));
  for (wire::BatchReader batch(envelope->payload, limits); !batch.done();) {
    auto one = batch.next();
    if (!one) return one.error();
    ++traffic.received;
    on_one(*one);
  }
  return {};
}

inline Error too_large(std::size_t size, const Limits& limits) {
  return Error(codes::too_large, "a payload of " + std::to_string(size) + " bytes is over the limit of " +
                                     std::to_string(limits.wire.payload_max) + " (limits.payload_max_bytes)");
}
/// An error, a cancel, and what a stream says of itself. Who waits for one that was refused would wait in vain, so a
/// queue that is full for everything else takes these up to twice its limit.
inline bool is_word(const wire::Header& header, BytesView payload) noexcept {
  using enum wire::Kind;
  return header.kind == error || header.kind == cancel || header.kind == credit || header.kind == heartbeat ||
         (header.kind == chunk && payload.empty());
}
inline bool has_room(std::size_t queued, const Limits& limits, const wire::Header& header, BytesView payload) noexcept {
  if (queued <= limits.queue_bytes_max) [[likely]]
    return true;
  return queued / 2 <= limits.queue_bytes_max && is_word(header, payload);
}

inline Error queue_full(const std::string& destination, const Limits& limits) {
  return Error(codes::queue_full,
               std::to_string(limits.queue_bytes_max) + " bytes wait for " + destination + " (limits.queue_max_bytes)",
               "the receiver is too slow or cut off: send less, or later");
}

inline BytesView view(const zmq::message_t& message) noexcept {
  return {static_cast<const std::byte*>(message.data()), message.size()};
}

}  // namespace weft::net
