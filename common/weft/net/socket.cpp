#include "weft/net/socket.hpp"

#include <malloc.h>

#include <atomic>

#include "weft/net/admission.hpp"

namespace weft::net {
namespace {

constexpr Duration kRefusedAgain = 1s;
constexpr int kLingerMs = 100;  // a caller that ends still tells what it no longer waits for
constexpr int kShare = 256;     // messages a socket receives in one turn of the loop
constexpr std::string_view kZapDomain = "weft";

/// A payload that ZeroMQ sends without a copy, and frees in its own thread; the flag orders our writes before that in
/// terms of C++ (and of thread sanitizer, which cannot see into libzmq's queues).
struct Held {
  explicit Held(Bytes payload) : bytes(std::move(payload)) {}
  static void free(void*, void* hint) {
    auto* held = static_cast<Held*>(hint);
    (void)held->handed_over.load(std::memory_order_acquire);
    delete held;
  }
  Bytes bytes;
  std::atomic<bool> handed_over{false};
};

/// A peer that is cut off is noticed within seconds, even when nothing is sent: callers and publishers ask it by ZMTP,
/// and for callees and subscribers, whom others may flood, TCP asks. For libzmq 4.3.4 ends the process ("Assertion
/// failed: !_io_error (stream_engine_base.cpp)") when a socket that asks has a full receive queue as its peer goes
/// away. So those that ask have no limit there: it is answers to their own calls, and subscriptions.
void notice_cut(zmq::socket_t& socket, bool asks, const Limits& limits) {
  namespace opt = zmq::sockopt;
  socket.set(opt::rcvhwm, asks ? 0 : limits.socket_messages_max);
  if (asks) {
    socket.set(opt::heartbeat_ivl, 1000);
    socket.set(opt::heartbeat_timeout, 3000);
    socket.set(opt::heartbeat_ttl, 3000);
  } else {
    socket.set(opt::tcp_keepalive, 1);
    socket.set(opt::tcp_keepalive_idle, 1);
    socket.set(opt::tcp_keepalive_intvl, 1);
    socket.set(opt::tcp_keepalive_cnt, 3);
  }
}

void set_options(zmq::socket_t& socket, zmq::socket_type type, const Limits& limits) {
  namespace opt = zmq::sockopt;
  // With a domain libzmq refuses ZMTP 1.0 and 2.0, which have no handshake: it would read what a browser sends to this
  // port as messages. Peers that speak ZMTP 3 are not affected; without a ZAP handler they are all accepted.
  socket.set(opt::zap_domain, kZapDomain);
  socket.set(opt::linger, type == zmq::socket_type::dealer ? kLingerMs : 0);
  socket.set(opt::sndhwm, limits.socket_messages_max);
  // a frame over this ends the connection before anything is allocated for it; the slack is for headers and names
  socket.set(opt::maxmsgsize, static_cast<std::int64_t>(limits.wire.payload_max + kBatchBytes));
  socket.set(opt::reconnect_ivl, 50);
  socket.set(opt::reconnect_ivl_max, 1000);
  socket.set(opt::handshake_ivl, 5000);
  notice_cut(socket, type == zmq::socket_type::dealer || type == zmq::socket_type::xpub, limits);
  socket.set(opt::connect_timeout, 2000);
  if (type == zmq::socket_type::router) socket.set(opt::router_mandatory, true);
}

Error endpoint_error(const std::string& endpoint, int number) {
  if (number == EADDRINUSE) {
    return Error(codes::port_taken, endpoint + ": the address is in use",
                 "stop what uses it, or configure another port");
  }
  return Error(codes::bad_address, endpoint + ": " + zmq_strerror(number),
               "give tcp://address:port or ipc:///path of this host");
}

}  // namespace

/// ZeroMQ's thread frees what this one allocated, in pieces of up to 64 KiB: by default glibc gives the top of the heap
/// back at 128 KiB, and takes it again page by page with the next burst, which cost half of the time of large payloads.
Context::Context() : context_(std::make_unique<zmq::context_t>(1, 20'000)), admission_(std::make_unique<Admission>()) {
  static const bool tuned = ::mallopt(M_TRIM_THRESHOLD, 32 << 20) != 0 && ::mallopt(M_MMAP_THRESHOLD, 4 << 20) != 0;
  (void)tuned;
}
Context::~Context() = default;

const Context::Refused& Context::refused_connections() const noexcept { return admission_->refused(); }
void Context::on_connection_refused(std::function<void(std::string_view, const std::string&)> report) {
  admission_->on_refused(std::move(report));
}

Result<void> Context::secure(Loop& loop, SecurityOptions options) {
  auto made = Security::create(loop, *context_, std::move(options));
  if (!made) return made.error();
  security_ = std::move(*made);
  return {};
}

Socket::Socket(Loop& loop, Context& context, zmq::socket_type type, const Limits& limits, std::function<void()> drain)
    : loop_(loop),
      context_(context),
      admission_(*context.admission_),
      security_(context.security()),
      socket_(context.raw(), type),
      again_(loop),
      drain_(std::move(drain)) {
  set_options(socket_, type, limits);
  if (security_) security_->apply(socket_);
  watch_handshakes(context, type);
  watch_ = loop_.watch(socket_.get(zmq::sockopt::fd), [this] { run_drain(); });
}

void Socket::watch_handshakes(Context& context, zmq::socket_type type) {
  if (type == zmq::socket_type::dealer) return;  // a Link has a monitor of its own
  if (type == zmq::socket_type::sub) {
    handshakes_ =
        std::make_unique<Monitor>(loop_, context, socket_,
                                  ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                                      ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED,
                                  [this](std::uint16_t event, std::uint32_t value, std::string_view endpoint) {
                                    const bool open = event == ZMQ_EVENT_CONNECTED;
                                    if (!open && event != ZMQ_EVENT_DISCONNECTED) return connect_again(endpoint);
                                    if (on_connection_) on_connection_(static_cast<int>(value), endpoint, open);
                                  });
    return;
  }
  const int failures = security_ ? ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL : 0;
  handshakes_ = std::make_unique<Monitor>(loop_, context, socket_, ZMQ_EVENT_ACCEPTED | failures,
                                          [this](std::uint16_t event, std::uint32_t value, std::string_view endpoint) {
                                            if (event != ZMQ_EVENT_ACCEPTED) return security_->handshake_failed(value);
                                            accepted(static_cast<int>(value), endpoint);
                                          });
}

void Socket::accepted(int descriptor, std::string_view endpoint) {
  if (on_connection_) on_connection_(descriptor, endpoint, true);
  admission_.accepted(descriptor, endpoint, loop_.now());
}

void Socket::subscribes_too_much(int descriptor) {
  for (const auto& endpoint : bound_) admission_.subscribes_too_much(descriptor, endpoint, loop_.now());
}

void Socket::connect_again(std::string_view endpoint) {
  for (const auto& one : connected_) {  // ZeroMQ tells the resolved address
    const bool same_port =
        one.starts_with("tcp://") && one.substr(one.rfind(':')) == endpoint.substr(endpoint.rfind(':'));
    if (one == endpoint || (same_port && !connected_.contains(std::string(endpoint)))) refused_.insert(one);
  }
  if (!refused_.empty() && !again_.running()) again_.start(kRefusedAgain, [this] { reconnect(); });
}

void Socket::reconnect() {
  for (const auto& endpoint : std::exchange(refused_, {})) {
    if (!connected_.contains(endpoint)) continue;
    zmq_disconnect(socket_.handle(), endpoint.c_str());
    (void)connect(endpoint);  // as it was fine before
  }
}

void Socket::drain_monitor() {
  if (handshakes_) handshakes_->drain();
}

Socket::~Socket() { loop_.unwatch(watch_); }

void Socket::run_drain() {
  if (draining_) return;
  draining_ = true;
  const int share = one_at_a_time_ ? 1 : kShare;
  share_ = share;
  const auto watch = lifetime_.watch();
  drain_();
  if (!watch.alive()) return;
  draining_ = false;
  if (share_ > 0) {  // drained
    one_at_a_time_ = share - share_ <= 1;
  } else if (one_at_a_time_) {
    must_check_ = true;
    loop_.at_turn_end(lifetime_.guard([this] {
      if (must_check_) check_readable();
    }));
  } else {
    drain_later();
  }
}

void Socket::drain_later() {
  loop_.post(lifetime_.guard([this] { run_drain(); }));
}

void Socket::check_readable() {
  if (draining_) return;
  must_check_ = false;
  if ((socket_.get(zmq::sockopt::events) & ZMQ_POLLIN) == 0) return;
  one_at_a_time_ = false;
  drain_later();
}

bool Socket::receive(zmq::message_t& part) {
  if (share_ <= 0) return false;
  try {
    if (!socket_.recv(part, zmq::recv_flags::dontwait)) return false;
  } catch (const zmq::error_t&) {
    return false;  // the context is being closed
  }
  --share_;
  return true;
}

bool Socket::receive_more(zmq::message_t& part) { return socket_.recv(part, zmq::recv_flags::dontwait).has_value(); }

void Socket::skip_rest(const zmq::message_t& last) {
  bool more = last.more();
  for (zmq::message_t part; more && receive_more(part);) more = part.more();
}

Sent Socket::send(const std::string_view* first, BytesView frame, Bytes* second) {
  try {
    const auto dontwait = zmq::send_flags::dontwait;
    const auto more = dontwait | zmq::send_flags::sndmore;
    if (first && !socket_.send(zmq::buffer(*first), more)) return Sent::full;
    if (!socket_.send(zmq::message_t(frame.data(), frame.size()), second ? more : dontwait)) return Sent::full;
    if (!second) return Sent::yes;
    auto* held = new Held(std::move(*second));
    zmq::message_t payload(held->bytes.data(), held->bytes.size(), Held::free, held);
    held->handed_over.store(true, std::memory_order_release);
    (void)socket_.send(payload, dontwait);  // follows a part that was taken: cannot be refused
    return Sent::yes;
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) return Sent::gone;
    return Sent::full;
  }
}

Result<std::string> Socket::bind(const std::string& endpoint) {
  if (context_.refused()) return *context_.refused();
  try {
    socket_.bind(endpoint);
    check_readable();
    bound_.push_back(socket_.get(zmq::sockopt::last_endpoint));
    return bound_.back();
  } catch (const zmq::error_t& error) {
    return endpoint_error(endpoint, error.num());
  }
}

void Socket::disconnect(const std::string& endpoint) {
  connected_.erase(endpoint);
  zmq_disconnect(socket_.handle(), endpoint.c_str());  // an endpoint that is not connected is fine
}

Result<void> Socket::connect(const std::string& endpoint) {
  if (context_.refused()) return *context_.refused();
  try {
    if (security_) {
      if (auto done = security_->apply(socket_, endpoint); !done) return done;
    }
    socket_.connect(endpoint);
    connected_.insert(endpoint);
    check_readable();
    return {};
  } catch (const zmq::error_t& error) {
    return endpoint_error(endpoint, error.num());
  }
}

}  // namespace weft::net
