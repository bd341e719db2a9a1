#include "bench/raw_side.hpp"

#include <zmq.h>

#include <chrono>
#include <stdexcept>

namespace weft::bench {

namespace {

using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;

constexpr int kHighWater = 10'000;  // as Weft's own sockets

class Socket {
 public:
  explicit Socket(int type) : context_(zmq_ctx_new()), socket_(zmq_socket(context_, type)) {
    zmq_setsockopt(socket_, ZMQ_SNDHWM, &kHighWater, sizeof kHighWater);
    zmq_setsockopt(socket_, ZMQ_RCVHWM, &kHighWater, sizeof kHighWater);
    const int no_linger = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &no_linger, sizeof no_linger);
  }
  ~Socket() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  std::string bind() {
    must(zmq_bind(socket_, "tcp://127.0.0.1:*") == 0);
    char endpoint[256];
    std::size_t size = sizeof endpoint;
    must(zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, endpoint, &size) == 0);
    return endpoint;
  }
  void connect(const std::string& endpoint) { must(zmq_connect(socket_, endpoint.c_str()) == 0); }
  void subscribe(const std::string& prefix) {
    must(zmq_setsockopt(socket_, ZMQ_SUBSCRIBE, prefix.data(), prefix.size()) == 0);
  }
  void send(const void* data, std::size_t size) { must(zmq_send(socket_, data, size, 0) >= 0); }
  void receive(void* into, std::size_t size) { must(zmq_recv(socket_, into, size, 0) >= 0); }
  void* get() noexcept { return socket_; }

 private:
  static void must(bool fine) {
    if (!fine) throw std::runtime_error(zmq_strerror(zmq_errno()));
  }
  void* context_;
  void* socket_;
};

}  // namespace

void raw_echo_server(const Ready& ready) {
  Socket router(ZMQ_ROUTER);
  ready(router.bind());
  zmq_msg_t part;
  for (;;) {
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, router.get(), 0) < 0) return;
    const int more = zmq_msg_more(&part);
    if (zmq_msg_send(&part, router.get(), more ? ZMQ_SNDMORE : 0) < 0) return;
  }
}

void raw_publisher(const Ready& ready) {
  Socket publisher(ZMQ_PUB);
  ready(publisher.bind());
  const std::string message = "bench.topic" + std::string(kPayloadSize, 'x');
  for (;;) publisher.send(message.data(), message.size());
}

std::vector<double> raw_round_trips(const std::string& endpoint, std::size_t calls) {
  Socket dealer(ZMQ_DEALER);
  dealer.connect(endpoint);
  const std::string request(kPayloadSize, 'x');
  char reply[kPayloadSize];
  std::vector<double> taken;
  taken.reserve(calls);
  for (std::size_t i = 0; i < calls; ++i) {
    const auto start = Clock::now();
    dealer.send(request.data(), request.size());
    dealer.receive(reply, sizeof reply);
    taken.push_back(Seconds(Clock::now() - start).count());
  }
  return taken;
}

double raw_call_rate(const std::string& endpoint, std::size_t outstanding, std::size_t calls) {
  Socket dealer(ZMQ_DEALER);
  dealer.connect(endpoint);
  const std::string request(kPayloadSize, 'x');
  char reply[kPayloadSize];
  dealer.send(request.data(), request.size());
  dealer.receive(reply, sizeof reply);  // connected
  const auto start = Clock::now();
  for (std::size_t i = 0; i < outstanding; ++i) dealer.send(request.data(), request.size());
  for (std::size_t answered = 0; answered < calls; ++answered) {
    dealer.receive(reply, sizeof reply);
    if (answered + outstanding < calls) dealer.send(request.data(), request.size());
  }
  return static_cast<double>(calls) / Seconds(Clock::now() - start).count();
}

double raw_receive_rate(const std::string& endpoint, double seconds) {
  Socket subscriber(ZMQ_SUB);
  subscriber.subscribe("bench.topic");
  subscriber.connect(endpoint);
  char message[512];
  const auto run_for = [&](double limit) {
    subscriber.receive(message, sizeof message);
    const auto start = Clock::now();
    std::size_t count = 0;
    double taken = 0;
    while (taken < limit) {
      for (int i = 0; i < 256; ++i) subscriber.receive(message, sizeof message);
      count += 256;
      taken = Seconds(Clock::now() - start).count();
    }
    return static_cast<double>(count) / taken;
  };
  (void)run_for(seconds / 5);
  return run_for(seconds);
}

}  // namespace weft::bench
