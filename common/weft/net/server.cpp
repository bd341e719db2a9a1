#include <algorithm>
#include <unordered_map>

#include "weft/base/lifetime.hpp"
#include "weft/net/socket.hpp"
#include "weft/net/transit.hpp"

namespace weft::net {
namespace {
constexpr std::size_t kIdleConnections = 1024;  // kept for peers that may come again
}

/// What is kept for a peer by its ZeroMQ routing id. Owned by the server's table; taken out of it when nobody holds it
/// and there are many, or freed by the last holder when the server is gone.
struct Connection::State {
  std::string routing_id;
  std::uint64_t id = 0;
  std::uint32_t held = 0;
  bool owned = true, waiting = false;
  Outbox outbox;
  TransitClock transit;
};

Duration Connection::delay(std::uint32_t sent_us, TimePoint now) const noexcept {
  if (sent_us == 0) return Duration::zero();
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  return std::chrono::microseconds(state_->transit.delay(sent_us, static_cast<std::uint32_t>(us)));
}
std::uint64_t Connection::id() const noexcept { return state_ ? state_->id : 0; }
void Connection::hold() const noexcept {
  if (state_) ++state_->held;
}
void Connection::release() noexcept {
  if (state_ && --state_->held == 0 && !state_->owned) delete state_;
}

struct Server::Impl {
  using State = Connection::State;

  Impl(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEnvelope on_envelope)
      : loop_(loop),
        limits_(limits),
        traffic_(traffic),
        on_envelope_(std::move(on_envelope)),
        socket_(loop, context, zmq::socket_type::router, limits, [this] { drain(); }),
        retry_(loop) {}
  ~Impl() {
    for (auto& [id, state] : connections_) drop(state);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static void drop(State* state) noexcept {
    if (state->held == 0) {
      delete state;
    } else {
      state->owned = false;
    }
  }

  State& connection(std::string_view routing_id) {
    if (last_ && last_->routing_id == routing_id) return *last_;
    const auto found = connections_.find(routing_id);
    if (found != connections_.end()) return *(last_ = found->second);
    if (connections_.size() >= forget_at_) forget_idle();
    auto* state = new State{std::string(routing_id), ++last_id_, 0, true, false, Outbox(), TransitClock()};
    connections_.emplace(state->routing_id, state);
    return *(last_ = state);
  }

  void drain() {
    for (zmq::message_t peer, frame, payload; socket_.receive(peer);) {
      if (!peer.more() || !socket_.receive_more(frame)) continue;
      payload.rebuild();
      if (frame.more() && socket_.receive_more(payload)) socket_.skip_rest(payload);
      take(Connection(&connection(peer.to_string_view())), frame, payload);
    }
  }

  void take(const Connection& from, const zmq::message_t& frame, const zmq::message_t& payload) {
    const auto done = unpack(view(frame), view(payload), limits_.wire, traffic_,
                             [&](const wire::EnvelopeView& envelope) { on_envelope_(from, envelope); });
    if (!done) refuse(from, view(frame), done.error());
  }

  /// Tells the sender what was wrong with its frame, under the id it may have used.
  void refuse(const Connection& to, BytesView frame, const Error& error) {
    ++traffic_.dropped_malformed;
    if (to.state_->outbox.bytes() > limits_.queue_bytes_max) {  // it sends, and takes no answers
      ++traffic_.dropped_queue_full;
      return;
    }
    wire::Header header;
    header.kind = wire::Kind::error;
    header.encoding = wire::Encoding::msgpack;
    if (frame.size() >= wire::kHeaderSize) std::memcpy(&header.id, frame.data() + 16, sizeof header.id);
    Bytes body = wire::encode_error(error);
    queue(*to.state_, header, body);
  }

  void queue(State& to, const wire::Header& header, Bytes& payload) {
    to.outbox.add(header, {}, {}, payload);
    ++traffic_.sent;
    if (!std::exchange(to.waiting, true)) waiting_.push_back(Connection(&to));
    schedule();
  }

  void schedule() {
    if (std::exchange(scheduled_, true)) return;
    loop_.at_turn_end(lifetime_.guard([this] { flush(); }));
  }

  void flush() {
    scheduled_ = false;
    flushing_.swap(waiting_);
    for (Connection& connection : flushing_) {
      State& state = *connection.state_;
      const std::string_view id = state.routing_id;
      const Sent sent =
          state.outbox.flush([&](BytesView frame, Bytes* second) { return socket_.send(&id, frame, second); });
      state.waiting = sent == Sent::full;
      if (sent == Sent::full) {
        waiting_.push_back(connection);
      } else if (sent == Sent::gone) {
        traffic_.dropped_unroutable += state.outbox.envelopes();
        state.outbox.clear();
        if (on_gone_) loop_.post(lifetime_.guard([this, connection] { on_gone_(connection); }));
      }
    }
    flushing_.clear();
    if (!waiting_.empty() && !retry_.running()) retry_.start(2ms, [this] { flush(); });
    socket_.check_readable();
  }

  void forget_idle() {
    last_ = nullptr;
    for (auto at = connections_.begin(); at != connections_.end();) {
      State* state = at->second;
      const bool idle = state->held == 0 && state->outbox.empty();
      at = idle ? connections_.erase(at) : std::next(at);
      if (idle) delete state;
    }
    forget_at_ = std::max(kIdleConnections, 2 * connections_.size());
  }

  Loop& loop_;
  Limits limits_;
  Traffic& traffic_;
  OnEnvelope on_envelope_;
  Socket socket_;
  std::unordered_map<std::string_view, State*> connections_;  // the key lies in the state
  std::size_t forget_at_ = kIdleConnections;
  State* last_ = nullptr;  // of the frame before
  std::uint64_t last_id_ = 0;
  std::vector<Connection> waiting_, flushing_;  // whose outbox is not empty
  std::function<void(const Connection&)> on_gone_;
  bool scheduled_ = false;
  Timer retry_;
  Lifetime lifetime_;
};

Server::Server(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEnvelope on_envelope)
    : impl_(std::make_unique<Impl>(loop, context, limits, traffic, std::move(on_envelope))) {}
Server::~Server() = default;

Result<std::string> Server::bind(const std::string& endpoint) { return impl_->socket_.bind(endpoint); }

Result<void> Server::send(const Connection& to, const wire::Header& header, Bytes& payload) {
  if (payload.size() > impl_->limits_.wire.payload_max) return too_large(payload.size(), impl_->limits_);
  if (!has_room(to.state_->outbox.bytes(), impl_->limits_, header, payload)) {
    ++impl_->traffic_.dropped_queue_full;
    return queue_full("the peer that asked", impl_->limits_);
  }
  impl_->queue(*to.state_, header, payload);
  return {};
}

void Server::on_gone(std::function<void(const Connection&)> gone) { impl_->on_gone_ = std::move(gone); }
std::size_t Server::queued(const Connection& to) const noexcept { return to.state_->outbox.bytes(); }
void Server::flush() { impl_->flush(); }

}  // namespace weft::net
