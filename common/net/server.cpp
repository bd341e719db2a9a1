#include <unordered_map>

#include "weft/net/socket.hpp"

namespace weft::net {
namespace {
constexpr std::size_t kIdleOutboxes = 1024;  // outboxes kept for peers that may come again
}

struct Server::Impl {
  Impl(Loop& l, Context& context, Limits li, Traffic& t, OnEnvelope handler)
      : loop(l),
        limits(li),
        traffic(t),
        on_envelope(std::move(handler)),
        socket(l, context, zmq::socket_type::router, li, [this] { drain(); }),
        retry(l) {}

  void drain() {
    for (zmq::message_t peer, frame, payload; socket.receive(peer);) {
      if (!peer.more() || !socket.receive_more(frame)) continue;
      payload.rebuild();
      if (frame.more() && socket.receive_more(payload)) socket.skip_rest(payload);
      take(peer.to_string_view(), frame, payload);
    }
  }

  void take(std::string_view peer, const zmq::message_t& frame, const zmq::message_t& payload) {
    const auto done = unpack(view(frame), view(payload), limits.wire, traffic,
                             [&](const wire::EnvelopeView& envelope) { on_envelope(peer, envelope); });
    if (!done) refuse(peer, view(frame), done.error());
  }

  /// Tells the sender what was wrong with its frame, under the id it may have used.
  void refuse(std::string_view peer, BytesView frame, const Error& error) {
    ++traffic.dropped_malformed;
    wire::Header header;
    header.kind = wire::Kind::error;
    header.encoding = wire::Encoding::msgpack;
    if (frame.size() >= wire::kHeaderSize) std::memcpy(&header.id, frame.data() + 16, sizeof header.id);
    queue(peer, header, {}, wire::encode_error(error));
  }

  void queue(std::string_view peer, const wire::Header& header, std::string_view name, Bytes payload) {
    auto& outbox = outboxes[std::string(peer)];
    if (outbox.empty()) waiting.emplace_back(peer);
    outbox.add(header, name, std::move(payload));
    ++traffic.sent;
    schedule();
  }

  void schedule() {
    if (scheduled) return;
    scheduled = true;
    loop.at_turn_end([this, alive = std::weak_ptr<int>(life)] {
      if (alive.lock()) flush();
    });
  }

  void flush() {
    scheduled = false;
    auto peers = std::exchange(waiting, {});
    for (auto& peer : peers) {
      const std::string_view id = peer;
      auto& outbox = outboxes[peer];
      const Sent sent = outbox.flush([&](BytesView frame, Bytes* second) { return socket.send(&id, frame, second); });
      if (sent == Sent::full) {
        waiting.push_back(std::move(peer));
      } else if (sent == Sent::gone) {
        ++traffic.dropped_unroutable;
        outboxes.erase(peer);
      }
    }
    if (waiting.empty() && outboxes.size() > kIdleOutboxes) outboxes.clear();
    if (!waiting.empty() && !retry.running()) retry.start(2ms, [this] { flush(); });
    socket.check_readable();
  }

  Loop& loop;
  Limits limits;
  Traffic& traffic;
  OnEnvelope on_envelope;
  Socket socket;
  std::unordered_map<std::string, Outbox> outboxes;
  std::vector<std::string> waiting;  // peers whose outbox is not empty
  bool scheduled = false;
  Timer retry;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Server::Server(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEnvelope on_envelope)
    : impl_(std::make_unique<Impl>(loop, context, limits, traffic, std::move(on_envelope))) {}
Server::~Server() = default;

Result<std::string> Server::bind(const std::string& endpoint) { return impl_->socket.bind(endpoint); }

Result<void> Server::send(std::string_view peer, const wire::Header& header, std::string_view name, Bytes payload) {
  if (payload.size() > impl_->limits.wire.payload_max) return too_large(payload.size(), impl_->limits);
  const auto found = impl_->outboxes.find(std::string(peer));
  if (found != impl_->outboxes.end() && found->second.bytes() > impl_->limits.queue_bytes_max) {
    ++impl_->traffic.dropped_queue_full;
    return queue_full("the peer that asked", impl_->limits);
  }
  impl_->queue(peer, header, name, std::move(payload));
  return {};
}

void Server::flush() { impl_->flush(); }

}  // namespace weft::net
