#include "weft/net/monitor.hpp"
#include "weft/net/socket.hpp"

namespace weft::net {
namespace {

constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                        ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
constexpr int kBrokenOffMax = 3;  // in a row: one may be a process that ended just then

Error refusal(const std::string& endpoint, bool encrypted, std::uint16_t event, std::uint32_t value) {
  const std::string who = "the process at " + endpoint;
  if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
    return Error(codes::unknown_key, who + " does not know the key of this one",
                 "add this process's public key to security.known_keys there");
  }
  if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL && value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH) {
    return Error(codes::unknown_key,
                 encrypted ? who + " does not encrypt, and this one does" : who + " encrypts, and this one does not",
                 "give both keys, or none: security.secret_key");
  }
  if (!encrypted) {  // what it said was lost with the connection, when it was the faster one
    return Error(codes::unknown_key,
                 who + " breaks off every handshake: it encrypts, and this one does not, or is no part of a mesh",
                 "give both keys, or none (security.secret_key), and look at the address");
  }
  return Error(codes::unknown_key,
               who + " broke off the handshake: it has another key than is known of it here, or does not encrypt",
               "compare security.servers with the public key of that process");
}

}  // namespace

struct Link::Impl {
  Impl(Loop& l, Context& context, const std::string& to, Limits li, Traffic& t, OnEnvelope handler)
      : loop(l),
        endpoint(to),
        limits(li),
        traffic(t),
        on_envelope(std::move(handler)),
        socket(l, context, zmq::socket_type::dealer, li, [this] { drain(); }),
        encrypted(context.security() != nullptr),
        monitor(l, context, socket.raw(), kEvents,
                [this](std::uint16_t event, std::uint32_t value, std::string_view) { happened(event, value); }),
        retry(l) {
    connecting = socket.connect(endpoint);
  }

  void happened(std::uint16_t event, std::uint32_t value) {
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) broken_off = 0;
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED || event == ZMQ_EVENT_DISCONNECTED)
      return changed(event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    const bool no_detail = event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    if (!no_detail || value == EPIPE) socket.connect_again(endpoint);  // after these ZeroMQ tries no more
    if (no_detail && !encrypted && ((value != EPIPE && value != ECONNRESET) || ++broken_off < kBrokenOffMax)) return;
    if (!refused) return;
    loop.post([this, why = refusal(endpoint, encrypted, event, value), alive = std::weak_ptr<int>(life)] {
      if (alive.lock()) refused(why);
    });
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
  const bool encrypted;
  Monitor monitor;
  Result<void> connecting;
  Outbox outbox;
  std::function<void()> lost;
  std::function<void(const Error&)> refused;
  bool up = false, scheduled = false;
  int broken_off = 0;  // handshakes in a row
  Timer retry;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Link::Link(Loop& loop, Context& context, const std::string& endpoint, Limits limits, Traffic& traffic,
           OnEnvelope on_envelope)
    : impl_(std::make_unique<Impl>(loop, context, endpoint, limits, traffic, std::move(on_envelope))) {}
Link::~Link() = default;

void Link::on_lost(std::function<void()> lost) { impl_->lost = std::move(lost); }
void Link::on_refused(std::function<void(const Error&)> refused) { impl_->refused = std::move(refused); }
bool Link::connected() const noexcept { return impl_->up; }

Result<void> Link::send(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload) {
  if (!impl_->connecting) {  // the key of the other end may have become known
    impl_->connecting = impl_->socket.connect(impl_->endpoint);
    if (!impl_->connecting) return impl_->connecting;
  }
  if (payload.size() > impl_->limits.wire.payload_max) return too_large(payload.size(), impl_->limits);
  if (!has_room(impl_->outbox.bytes(), impl_->limits, header, payload)) {
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
