#include "weft/base/lifetime.hpp"
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
  Impl(Loop& loop, Context& context, const std::string& endpoint, Limits limits, Traffic& traffic,
       OnEnvelope on_envelope)
      : loop_(loop),
        endpoint_(endpoint),
        limits_(limits),
        traffic_(traffic),
        on_envelope_(std::move(on_envelope)),
        socket_(loop, context, zmq::socket_type::dealer, limits, [this] { drain(); }),
        encrypted_(context.security() != nullptr),
        monitor_(loop, context, socket_.raw(), kEvents,
                 [this](std::uint16_t event, std::uint32_t value, std::string_view) { happened(event, value); }),
        retry_(loop) {
    connecting_ = socket_.connect(endpoint_);
  }

  void happened(std::uint16_t event, std::uint32_t value) {
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) broken_off_ = 0;
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED || event == ZMQ_EVENT_DISCONNECTED)
      return changed(event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    const bool no_detail = event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
    if (!no_detail || value == EPIPE) socket_.connect_again(endpoint_);  // after these ZeroMQ tries no more
    if (no_detail && !encrypted_ && ((value != EPIPE && value != ECONNRESET) || ++broken_off_ < kBrokenOffMax)) return;
    if (!refused_) return;
    loop_.post(lifetime_.guard([this, why = refusal(endpoint_, encrypted_, event, value)] { refused_(why); }));
  }

  void changed(bool now_up) {
    const bool was_up = std::exchange(up_, now_up);
    if (!was_up || now_up || !lost_) return;
    // In a later turn: whoever is told may destroy this link.
    loop_.post(lifetime_.guard([this] { lost_(); }));
  }

  void drain() {
    const auto watch = lifetime_.watch();
    for (zmq::message_t frame, payload; watch.alive() && socket_.receive(frame);) {
      payload.rebuild();
      if (frame.more() && socket_.receive_more(payload)) socket_.skip_rest(payload);
      const auto done = unpack(view(frame), view(payload), limits_.wire, traffic_,
                               [&](const wire::EnvelopeView& envelope) { on_envelope_(envelope); });
      if (!done && watch.alive()) ++traffic_.dropped_malformed;
    }
  }

  void flush() {
    scheduled_ = false;
    const Sent sent =
        outbox_.flush([&](BytesView frame, Bytes* second) { return socket_.send(nullptr, frame, second); });
    if (sent != Sent::yes && !retry_.running()) retry_.start(2ms, [this] { flush(); });
    socket_.check_readable();
  }

  Loop& loop_;
  std::string endpoint_;
  Limits limits_;
  Traffic& traffic_;
  OnEnvelope on_envelope_;
  Socket socket_;
  const bool encrypted_;
  Monitor monitor_;
  Result<void> connecting_;
  Outbox outbox_;
  std::function<void()> lost_;
  std::function<void(const Error&)> refused_;
  bool up_ = false, scheduled_ = false;
  int broken_off_ = 0;  // handshakes in a row
  Timer retry_;
  Lifetime lifetime_;
};

Link::Link(Loop& loop, Context& context, const std::string& endpoint, Limits limits, Traffic& traffic,
           OnEnvelope on_envelope)
    : impl_(std::make_unique<Impl>(loop, context, endpoint, limits, traffic, std::move(on_envelope))) {}
Link::~Link() = default;

void Link::on_lost(std::function<void()> lost) { impl_->lost_ = std::move(lost); }
void Link::on_refused(std::function<void(const Error&)> refused) { impl_->refused_ = std::move(refused); }
bool Link::connected() const noexcept { return impl_->up_; }

Result<void> Link::send(const wire::Header& header, std::string_view name, BytesView extension, Bytes& payload) {
  if (!impl_->connecting_) {  // the key of the other end may have become known
    impl_->connecting_ = impl_->socket_.connect(impl_->endpoint_);
    if (!impl_->connecting_) return impl_->connecting_;
  }
  if (payload.size() > impl_->limits_.wire.payload_max) return too_large(payload.size(), impl_->limits_);
  if (!has_room(impl_->outbox_.bytes(), impl_->limits_, header, payload)) {
    ++impl_->traffic_.dropped_queue_full;
    return queue_full(impl_->endpoint_, impl_->limits_);
  }
  impl_->outbox_.add(header, name, extension, payload);
  ++impl_->traffic_.sent;
  if (std::exchange(impl_->scheduled_, true)) return {};
  impl_->loop_.at_turn_end(impl_->lifetime_.guard([impl = impl_.get()] { impl->flush(); }));
  return {};
}

std::size_t Link::queued() const noexcept { return impl_->outbox_.bytes(); }
void Link::flush() { impl_->flush(); }

}  // namespace weft::net
