// Proxy: stands between publishers and subscribers as an XSUB/XPUB forwarder, and drops, holds or swaps frames as told.
// Runs in pump(), in the test's own thread.
#pragma once
#include <zmq.hpp>

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "weft/net/net.hpp"
#include "weft/wire/wire.hpp"

namespace weft::test {

class Proxy {
 public:
  explicit Proxy(net::Context& context)
      : in_(context.raw(), zmq::socket_type::xsub), out_(context.raw(), zmq::socket_type::xpub) {
    for (auto* socket : {&in_, &out_}) {
      socket->set(zmq::sockopt::linger, 0);
      socket->set(zmq::sockopt::rcvhwm, 0);
      socket->set(zmq::sockopt::sndhwm, 0);
    }
    out_.set(zmq::sockopt::xpub_verbose, 1);
    out_.bind("tcp://127.0.0.1:*");
  }
  std::string endpoint() const { return out_.get(zmq::sockopt::last_endpoint); }
  void connect(const std::string& publisher) { in_.connect(publisher); }
  void disconnect(const std::string& publisher) { in_.disconnect(publisher); }

  /// Forwards all that is there.
  void pump() {
    for (zmq::message_t message; out_.recv(message, zmq::recv_flags::dontwait);)
      (void)in_.send(message, zmq::send_flags::dontwait);
    for (zmq::message_t frame; in_.recv(frame, zmq::recv_flags::dontwait);) {
      const std::uint64_t count = events(frame);
      if (count > 0 && drop && drop(seen)) {
        seen += count;
        dropped += count;
        continue;
      }
      seen += count;
      if (count > 0 && hold) {
        held.push_back(std::move(frame));
        frame = zmq::message_t();
        continue;
      }
      (void)out_.send(frame, zmq::send_flags::dontwait);
    }
  }
  /// Sends one that was held.
  void release(std::size_t index) {
    (void)out_.send(held.at(index), zmq::send_flags::dontwait);
    held.erase(held.begin() + static_cast<std::ptrdiff_t>(index));
  }

  std::function<bool(std::uint64_t index)> drop;  ///< of the frame whose first event is number `index`, from 0
  bool hold = false;
  std::deque<zmq::message_t> held;
  std::uint64_t seen = 0, dropped = 0;  ///< events

 private:
  static std::uint64_t events(const zmq::message_t& frame) {
    const auto text = frame.to_string_view();
    const auto head = text.find('\0');
    if (head == std::string_view::npos) return 0;
    const auto envelope = wire::decode(as_bytes(text.substr(head + 1)), {});
    if (!envelope) return 0;
    if (envelope->header.kind == wire::Kind::event) return 1;
    std::uint64_t count = 0;
    if (envelope->header.kind != wire::Kind::batch) return 0;
    for (wire::BatchReader batch(envelope->payload, {}); !batch.done();) {
      const auto one = batch.next();
      if (!one) break;
      if (one->header.kind == wire::Kind::event) ++count;
    }
    return count;
  }
  zmq::socket_t in_, out_;
};

}  // namespace weft::test
