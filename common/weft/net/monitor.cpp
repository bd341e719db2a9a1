#include "weft/net/monitor.hpp"

#include <atomic>
#include <cstring>

namespace weft::net {
namespace {
constexpr int kEventsPerTurn = 256;  // events of one turn of the loop
}

Monitor::Monitor(Loop& loop, Context& context, zmq::socket_t& socket, int events, OnEvent on_event)
    : loop_(loop), watched_(socket), pair_(context.raw(), zmq::socket_type::pair), on_event_(std::move(on_event)) {
  static std::atomic<std::uint64_t> count{0};
  const std::string address = "inproc://monitor-" + std::to_string(++count);
  zmq_socket_monitor(watched_.handle(), address.c_str(), events);
  pair_.set(zmq::sockopt::linger, 0);
  pair_.set(zmq::sockopt::rcvhwm, 0);  // libzmq's thread would wait for room, with a lock that closing the socket needs
  pair_.connect(address);
  watch_ = loop_.watch(pair_.get(zmq::sockopt::fd), [this] { drain(); });
  drain_later();  // until it was drained once, its descriptor reports nothing
}

Monitor::~Monitor() {
  loop_.unwatch(watch_);
  zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

void Monitor::drain_later() {
  loop_.post(lifetime_.guard([this] { drain(); }));
}

void Monitor::drain() {
  const auto watch = lifetime_.watch();
  int left = kEventsPerTurn;
  for (zmq::message_t event, address; watch.alive();) {
    if (left-- == 0) return drain_later();
    if (!pair_.recv(event, zmq::recv_flags::dontwait)) return;
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
