// Monitor: what becomes of a socket's connections, told on the loop. Private to net.
#pragma once
#include <functional>
#include <memory>
#include <zmq.hpp>

#include "weft/base/lifetime.hpp"
#include "weft/net/net.hpp"

namespace weft::net {

/// Borrows all. Goes before the socket.
class Monitor {
 public:
  /// `events` and `event` are ZMQ_EVENT_ numbers; `value` and `endpoint` what zmq_socket_monitor says of it.
  using OnEvent = std::function<void(std::uint16_t event, std::uint32_t value, std::string_view endpoint)>;
  Monitor(Loop& loop, Context& context, zmq::socket_t& socket, int events, OnEvent on_event);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Reports now what has happened.
  void drain();

 private:
  void drain_later();

  Loop& loop_;
  zmq::socket_t& watched_;
  zmq::socket_t pair_;
  OnEvent on_event_;
  Loop::Id watch_ = 0;
  Lifetime lifetime_;
};

}  // namespace weft::net
