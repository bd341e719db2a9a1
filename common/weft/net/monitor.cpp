#include "weft/net/monitor.hpp"

#include <atomic>
#include <cstring>

namespace weft::net {

Monitor::Monitor(Loop& loop, Context& context, zmq::socket_t& socket, int events, OnEvent on_event)
    : loop_(loop), watched_(socket), pair_(context.raw(), zmq::socket_type::pair), on_event_(std::move(on_event)) {
  static std::atomic<std::uint64_t> count{0};
  const std::string address = "inproc://monitor-" + std::to_string(++count);
  zmq_socket_monitor(watched_.handle(), address.c_str(), events);
  pair_.set(zmq::sockopt::linger, 0);
  pair_.connect(address);
  watch_ = loop_.watch(pair_.get(zmq::sockopt::fd), [this] { drain(); });
  loop_.post([this, alive = std::weak_ptr<int>(life_)] {  // until it was drained once, its descriptor tells nothing
    if (alive.lock()) drain();
  });
}

Monitor::~Monitor() {
  loop_.unwatch(watch_);
  zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

void Monitor::drain() {
  const std::weak_ptr<int> alive = life_;
  for (zmq::message_t event, address; !alive.expired() && pair_.recv(event, zmq::recv_flags::dontwait);) {
    if (event.more()) (void)pair_.recv(address, zmq::recv_flags::dontwait);
    std::uint16_t number = 0;
    std::uint32_t value = 0;
    if (event.size() < sizeof number + sizeof value) continue;
    std::memcpy(&number, event.data(), sizeof number);
    std::memcpy(&value, event.data<char>() + sizeof number, sizeof value);
    on_event_(number, value, address.to_string_view());
  }
}

}  // namespace weft::net
