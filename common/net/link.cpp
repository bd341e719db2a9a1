#include <atomic>

#include "weft/net/socket.hpp"

namespace weft::net {
namespace {

/// Watches one socket's connection through ZeroMQ's monitor.
class Monitor {
 public:
  Monitor(Loop& loop, Context& context, zmq::socket_t& socket, std::function<void(bool up)> changed)
      : loop_(loop), watched_(socket), pair_(context.raw(), zmq::socket_type::pair), changed_(std::move(changed)) {
    static std::atomic<std::uint64_t> count{0};
    const std::string address = "inproc://monitor-" + std::to_string(++count);
    zmq_socket_monitor(watched_.handle(), address.c_str(), ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED);
    pair_.set(zmq::sockopt::linger, 0);
    pair_.connect(address);
    watch_ = loop_.watch(pair_.get(zmq::sockopt::fd), [this] { drain(); });
    loop_.post([this, alive = std::weak_ptr<int>(life_)] {  // until it was drained once, its descriptor tells nothing
      if (alive.lock()) drain();
    });
  }
  ~Monitor() {
    loop_.unwatch(watch_);
    zmq_socket_monitor(watched_.handle(), nullptr, 0);
  }
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

 private:
  void drain() {
    for (zmq::message_t event, address; pair_.recv(event, zmq::recv_flags::dontwait);) {
      if (event.more()) (void)pair_.recv(address, zmq::recv_flags::dontwait);
      std::uint16_t number = 0;
      if (event.size() >= sizeof number) std::memcpy(&number, event.data(), sizeof number);
      changed_(number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    }
  }

  Loop& loop_;
  zmq::socket_t& watched_;
  zmq::socket_t pair_;
  std::function<void(bool)> changed_;
  Loop::Id watch_ = 0;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace

struct Link::Impl {
  Impl(Loop& l, Context& context, const std::string& to, Limits li, Traffic& t, OnEnvelope handler)
      : loop(l),
        endpoint(to),
        limits(li),
        traffic(t),
        on_envelope(std::move(handler)),
        socket(l, context, zmq::socket_type::dealer, li, [this] { drain(); }),
        monitor(l, context, socket.raw(), [this](bool now_up) { changed(now_up); }),
        retry(l) {
    connecting = socket.connect(endpoint);
  }

  void changed(bool now_up) {
    const bool was_up = std::exchange(up, now_up);
    if (!was_up || now_up || !lost) return;
    // In a later turn: whoever is told may destroy this link.
    loop.post([this, alive = std::weak_ptr<int>(life)] {
      if (alive.lock()) lost();
    });
  }

  void drain() {
    const std::weak_ptr<int> alive = life;
    for (zmq::message_t frame, payload; !alive.expired() && socket.receive(frame);) {
      payload.rebuild();
      if (frame.more() && socket.receive_more(payload)) socket.skip_rest(payload);
      const auto done = unpack(view(frame), view(payload), limits.wire, traffic,
                               [&](const wire::EnvelopeView& envelope) { on_envelope(envelope); });
      if (!done && !alive.expired()) ++traffic.dropped_malformed;
    }
  }

  void flush() {
    scheduled = false;
    const Sent sent = outbox.flush([&](BytesView frame, Bytes* second) { return socket.send(nullptr, frame, second); });
    if (sent != Sent::yes && !retry.running()) retry.start(2ms, [this] { flush(); });
    socket.check_readable();
  }

  Loop& loop;
  std::string endpoint;
  Limits limits;
  Traffic& traffic;
  OnEnvelope on_envelope;
  Socket socket;
  Monitor monitor;
  Result<void> connecting;
  Outbox outbox;
  std::function<void()> lost;
  bool up = false, scheduled = false;
  Timer retry;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Link::Link(Loop& loop, Context& context, const std::string& endpoint, Limits limits, Traffic& traffic,
           OnEnvelope on_envelope)
    : impl_(std::make_unique<Impl>(loop, context, endpoint, limits, traffic, std::move(on_envelope))) {}
Link::~Link() = default;

void Link::on_lost(std::function<void()> lost) { impl_->lost = std::move(lost); }
bool Link::connected() const noexcept { return impl_->up; }

Result<void> Link::send(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload) {
  if (!impl_->connecting) return impl_->connecting;
  if (payload.size() > impl_->limits.wire.payload_max) return too_large(payload.size(), impl_->limits);
  if (impl_->outbox.bytes() > impl_->limits.queue_bytes_max) {
    ++impl_->traffic.dropped_queue_full;
    return queue_full(impl_->endpoint, impl_->limits);
  }
  impl_->outbox.add(header, name, extension, payload);
  ++impl_->traffic.sent;
  if (std::exchange(impl_->scheduled, true)) return {};
  impl_->loop.at_turn_end([impl = impl_.get(), alive = std::weak_ptr<int>(impl_->life)] {
    if (alive.lock()) impl->flush();
  });
  return {};
}

std::size_t Link::queued() const noexcept { return impl_->outbox.bytes(); }
void Link::flush() { impl_->flush(); }

}  // namespace weft::net
