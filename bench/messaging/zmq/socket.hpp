// A ZeroMQ socket as a careful C++ programmer holds one: blocking calls, errors thrown.
#pragma once
#include <zmq.h>

#include <stdexcept>
#include <string>

namespace weft::bench::messaging {

struct Context {
  void* raw = zmq_ctx_new();
  Context() { zmq_ctx_set(raw, ZMQ_MAX_SOCKETS, 10'000); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { zmq_ctx_term(raw); }
};

class Socket {
 public:
  Socket(Context& context, int type) : socket_(zmq_socket(context.raw, type)) {
    set(ZMQ_SNDHWM, 10'000);  // as Weft's
    set(ZMQ_RCVHWM, 10'000);
    set(ZMQ_LINGER, 0);
  }
  ~Socket() { zmq_close(socket_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void set(int option, int value) { must(zmq_setsockopt(socket_, option, &value, sizeof value) == 0); }
  void set(int option, const std::string& value) {
    must(zmq_setsockopt(socket_, option, value.data(), value.size()) == 0);
  }
  std::string bind(const std::string& to) {
    must(zmq_bind(socket_, to.c_str()) == 0);
    char endpoint[256];
    std::size_t size = sizeof endpoint;
    must(zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    return endpoint;
  }
  void connect(const std::string& endpoint) { must(zmq_connect(socket_, endpoint.c_str()) == 0); }
  void send(const void* data, std::size_t size) { must(zmq_send(socket_, data, size, 0) >= 0); }
  void receive(void* into, std::size_t size) { must(zmq_recv(socket_, into, size, 0) >= 0); }
  /// False when nothing is there, or nothing came in time (ZMQ_RCVTIMEO).
  bool try_receive(void* into, std::size_t size, int flags) {
    const int got = zmq_recv(socket_, into, size, flags);
    must(got >= 0 || zmq_errno() == EAGAIN);
    return got >= 0;
  }
  void* raw() noexcept { return socket_; }

 private:
  static void must(bool fine) {
    if (!fine) throw std::runtime_error(zmq_strerror(zmq_errno()));
  }
  void* socket_;
};

}  // namespace weft::bench::messaging
