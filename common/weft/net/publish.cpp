#include <algorithm>
#include <set>
#include <unordered_map>

#include "weft/base/hash.hpp"
#include "weft/base/lifetime.hpp"
#include "weft/net/channel.hpp"
#include "weft/net/socket.hpp"

namespace weft::net {
namespace {

constexpr int kPublisherLingerMs = 200;                 // a process that ends lets its last events leave
constexpr std::size_t kRequestMax = 256;                // bytes of what is subscribed to
constexpr std::size_t kSubscriptionsMax = 65'536;       // of one connection; ZeroMQ takes 300 bytes for each
constexpr std::size_t kAllMax = 4 * kSubscriptionsMax;  // of all connections
constexpr int kReceiveBytes = 64 * 1024;
constexpr int kQueueMin = 16;             // frames, however large they are
constexpr std::int64_t kFrameMax = 1024;  // of a subscription, encrypted; ZeroMQ's own table takes 30 times its size

/// A large payload, which ZeroMQ sends without a copy and frees in its own thread.
zmq::message_t message_of(Bytes&& payload) {
  struct Held {
    Bytes bytes;
    std::atomic<bool> handed_over{false};
  };
  auto* held = new Held{std::move(payload), {}};
  const auto free = [](void*, void* hint) {
    auto* one = static_cast<Held*>(hint);
    (void)one->handed_over.load(std::memory_order_acquire);
    delete one;
  };
  zmq::message_t message(held->bytes.data(), held->bytes.size(), free, held);
  held->handed_over.store(true, std::memory_order_release);
  return message;
}

}  // namespace

struct Publisher::Impl {
  struct Subscriptions {
    std::size_t count = 0;
    bool closed = false;
  };

  Impl(Loop& loop, Context& context, Limits limits, Traffic& traffic)
      : loop_(loop),
        limits_(limits),
        traffic_(traffic),
        socket_(loop, context, zmq::socket_type::xpub, limits, [this] { drain(); }) {
    socket_.on_connection([this](int descriptor, std::string_view, bool) { accepted(descriptor); });
    socket_.raw().set(zmq::sockopt::linger, kPublisherLingerMs);
    socket_.raw().set(zmq::sockopt::maxmsgsize, kFrameMax);
    socket_.raw().set(zmq::sockopt::rcvbuf, kReceiveBytes);  // what is in it is read even after a connection is closed
    socket_.raw().set(zmq::sockopt::rcvhwm, 0);              // only subscriptions come, and none of them may be lost
    socket_.raw().set(zmq::sockopt::xpub_verbose, 1);        // each subscriber's requests, on each of its connections
    socket_.raw().set(zmq::sockopt::xpub_nodrop, 1);         // a full queue makes send fail, see send_frame()
  }

  /// Subscriptions arrive as a byte (1 on, 0 off) and the prefix.
  void drain() {
    for (zmq::message_t message; socket_.receive(message);) {
      socket_.skip_rest(message);
      const auto text = message.to_string_view();
      if (text.empty() || text.size() > kRequestMax) continue;
      if (!count(zmq_msg_get(message.handle(), ZMQ_SRCFD), text[0] == 1)) continue;
      if (auto request = Request::parse(text.substr(1))) {
        if (text[0] == 1 && on_request_) answer(*request);
      } else if (text[0] == 1) {
        filters_changed_ += filters_.emplace(text.substr(1)).second ? 1U : 0U;
      } else {
        filters_changed_ += filters_.erase(std::string(text.substr(1)));
      }
    }
  }

  /// ZeroMQ keeps every subscription, so the connection that has more than it may is closed, or the one that has most
  /// when all have too many: ZeroMQ forgets them with it. False: `descriptor` is one that was closed.
  bool count(int descriptor, bool added) {
    if (descriptor < 0) return true;  // ZeroMQ's own word that the last subscriber of a filter has gone; or inproc
    Subscriptions& of = connections_[descriptor];
    if (of.closed) return false;
    if (!added) {
      all_ -= of.count > 0 ? 1U : 0U;
      of.count -= of.count > 0 ? 1U : 0U;
      return true;
    }
    ++all_;
    if (++of.count > kSubscriptionsMax) {
      close(descriptor, of);
    } else if (all_ > kAllMax) {
      const auto most = std::max_element(connections_.begin(), connections_.end(),
                                         [](const auto& a, const auto& b) { return a.second.count < b.second.count; });
      close(most->first, most->second);
    }
    return !of.closed;
  }

  void close(int descriptor, Subscriptions& of) {
    all_ -= of.count;
    of = {0, true};
    socket_.subscribes_too_much(descriptor);
  }

  /// Its predecessor of this number has gone.
  void accepted(int descriptor) {
    const auto found = connections_.find(descriptor);
    if (found == connections_.end()) return;
    all_ -= found->second.count;
    connections_.erase(found);
  }

  /// Behind all that was published before.
  void answer(const Request& request) {
    for (Channel* channel : waiting_) send_open(*channel);
    Channel channel(request.address());
    answers_ = &channel;
    on_request_(request);
    answers_ = nullptr;
    send_open(channel);
  }

  bool takes(std::string_view framed) const noexcept {
    if (filters_.size() > framed.size()) {  // each beginning is looked for: who subscribes much costs others nothing
      for (std::size_t size = 0; size <= framed.size(); ++size) {
        if (filters_.contains(framed.substr(0, size))) return true;
      }
      return false;
    }
    return std::any_of(filters_.begin(), filters_.end(),
                       [&](const auto& filter) { return framed.starts_with(filter); });
  }

  bool try_send(zmq::message_t& part, zmq::send_flags flags) noexcept {
    try {
      return socket_.raw().send(part, flags | zmq::send_flags::dontwait).has_value();
    } catch (const zmq::error_t&) {
      return true;  // the context is being closed
    }
  }

  /// ZeroMQ leaves out who has a full queue, silently, until half of it is empty. Being asked first, it tells when that
  /// begins, so that the loss has a reason; then the others get theirs.
  void send_frame(Channel& channel, zmq::message_t frame, zmq::message_t* second) {
    bound_queue(frame.size() + (second ? second->size() : 0));
    const auto more = second ? zmq::send_flags::sndmore : zmq::send_flags::none;
    if (!try_send(frame, more)) {
      ++refusals_;
      socket_.raw().set(zmq::sockopt::xpub_nodrop, 0);
      (void)try_send(frame, more);
      socket_.raw().set(zmq::sockopt::xpub_nodrop, 1);
    }
    if (second) (void)try_send(*second, zmq::send_flags::none);
    if (channel.refusals_seen == refusals_) return;
    channel.refusals_seen = refusals_;
    channel.mark(channel.first);
  }

  /// ZeroMQ's high-water mark counts frames, and one may have 100 bytes or many thousands: the mark follows their mean
  /// size, so that who does not take them holds queue_bytes_max of them.
  void bound_queue(std::size_t bytes) {
    mean_bytes_ += (static_cast<double>(bytes) - mean_bytes_) / 16;
    const double fit = static_cast<double>(limits_.queue_bytes_max) / std::max(mean_bytes_, 1.0);
    const int most = limits_.socket_messages_max;
    const int wanted = static_cast<int>(std::clamp<double>(fit, std::min(kQueueMin, most), most));
    const bool near = wanted < high_water_ * 2 && high_water_ < wanted * 2;
    if (wanted == high_water_ || (near && wanted != most)) return;
    high_water_ = wanted;
    socket_.raw().set(zmq::sockopt::sndhwm, high_water_);
  }

  void send_open(Channel& channel) {
    if (!channel.empty()) send_frame(channel, channel.take(home_), nullptr);
  }

  void flush() {
    scheduled_ = false;
    for (Channel* channel : waiting_) {
      channel->waiting = false;
      send_open(*channel);
    }
    waiting_.clear();
    home_->tidy();
    socket_.check_readable();
  }

  void flush_later(Channel& channel) {
    if (!std::exchange(channel.waiting, true)) waiting_.push_back(&channel);
    if (std::exchange(scheduled_, true)) return;
    loop_.at_turn_end(lifetime_.guard([this] { flush(); }));
  }

  void add(Channel& channel, const wire::Header& header, std::string_view name, BytesView extension,
           BytesView payload) {
    ++traffic_.sent;
    if (!channel.fits(wire::encoded_size(name, extension, payload.size()))) send_open(channel);
    channel.append(header, name, extension, payload, *home_);
  }

  void add_large(Channel& channel, wire::Header header, std::string_view name, BytesView extension, Bytes&& payload) {
    ++traffic_.sent;
    send_open(channel);
    header.flags |= wire::kFlagDetached;
    channel.append(header, name, extension, payload, *home_);
    zmq::message_t second = message_of(std::move(payload));
    send_frame(channel, channel.take(home_), &second);
  }

  Loop& loop_;
  Limits limits_;
  Traffic& traffic_;
  std::function<void(const Request&)> on_request_;
  Socket socket_;
  std::shared_ptr<FrameBuffer::Home> home_ = std::make_shared<FrameBuffer::Home>();
  std::set<std::string, std::less<>> filters_;
  std::unordered_map<int, Subscriptions> connections_;  // by descriptor
  std::size_t all_ = 0;                                 // of `connections`
  std::uint64_t filters_changed_ = 1, refusals_ = 0;
  std::unordered_map<std::string, Channel, TextHash, std::equal_to<>> channels_;  // by topic
  std::vector<Channel*> waiting_;
  Channel* answers_ = nullptr;  // while a request is being answered
  double mean_bytes_ = 0;
  int high_water_ = limits_.socket_messages_max;
  bool scheduled_ = false;
  Lifetime lifetime_;
};

Publisher::Publisher(Loop& loop, Context& context, Limits limits, Traffic& traffic)
    : impl_(std::make_unique<Impl>(loop, context, limits, traffic)) {}
Publisher::~Publisher() = default;

Result<std::string> Publisher::bind(const std::string& endpoint) { return impl_->socket_.bind(endpoint); }

Channel& Publisher::channel(std::string_view topic) {
  const auto found = impl_->channels_.find(topic);
  if (found != impl_->channels_.end()) return found->second;
  return impl_->channels_.emplace(topic, topic).first->second;
}

bool Publisher::wanted(std::string_view topic) const noexcept {
  std::string framed(topic);
  framed += '\0';
  return impl_->takes(framed);
}

bool Publisher::wanted(Channel& channel) const noexcept {
  if (std::exchange(channel.filters_seen, impl_->filters_changed_) != impl_->filters_changed_)
    channel.wanted = impl_->takes(channel.prefix);
  return channel.wanted;
}

Result<void> Publisher::send(Channel& channel, const wire::Header& header, BytesView extension, Bytes&& payload) {
  if (payload.size() > impl_->limits_.wire.payload_max) return too_large(payload.size(), impl_->limits_);
  if (payload.size() > kDetachBytes) {
    impl_->add_large(channel, header, {}, extension, std::move(payload));
  } else {
    impl_->add(channel, header, {}, extension, payload);
  }
  impl_->flush_later(channel);
  return {};
}

const std::vector<std::uint64_t>& Publisher::marks(const Channel& channel) const noexcept { return channel.marks; }
std::uint64_t Publisher::refused() const noexcept { return impl_->refusals_; }
void Publisher::on_request(std::function<void(const Request&)> handler) { impl_->on_request_ = std::move(handler); }

void Publisher::answer(const wire::Header& header, std::string_view name, BytesView extension, BytesView payload) {
  if (!impl_->answers_) return;
  if (payload.size() <= kDetachBytes) return impl_->add(*impl_->answers_, header, name, extension, payload);
  impl_->add_large(*impl_->answers_, header, name, extension, Bytes(payload.begin(), payload.end()));
}

void Publisher::flush() { impl_->flush(); }

}  // namespace weft::net
