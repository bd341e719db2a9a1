#include <map>
#include <set>
#include <unordered_map>

#include "weft/net/socket.hpp"

namespace weft::net {
namespace {
constexpr std::size_t kTurnBytes = 1024 * 1024;  // of one topic, before the turn ends
constexpr std::size_t kTopicOutboxes = 4096;     // topics whose outbox is kept for the next publication
}  // namespace

struct Publisher::Impl {
  Impl(Loop& l, Context& context, Limits li, Traffic& t)
      : loop(l), limits(li), traffic(t), socket(l, context, zmq::socket_type::xpub, li, [this] { drain(); }) {}

  /// Subscriptions arrive as a byte (1 on, 0 off) and the prefix.
  void drain() {
    for (zmq::message_t message; socket.receive(message);) {
      socket.skip_rest(message);
      const auto text = message.to_string_view();
      if (text.empty() || text.size() > kTopicMax + 2) continue;
      if (text[0] == 1) filters.emplace(text.substr(1));
      if (text[0] == 0) filters.erase(std::string(text.substr(1)));
    }
  }

  void flush() {
    scheduled = false;
    for (Outbox* outbox : std::exchange(waiting, {})) {
      (void)outbox->flush([&](BytesView frame, Bytes* second) { return socket.send(nullptr, frame, second); });
      outbox->clear();  // publications never wait
    }
    if (outboxes.size() > kTopicOutboxes) outboxes.clear();
    socket.check_readable();
  }

  Loop& loop;
  Limits limits;
  Traffic& traffic;
  Socket socket;
  std::set<std::string, std::less<>> filters;
  std::unordered_map<std::string, Outbox> outboxes;  // by topic
  std::vector<Outbox*> waiting;
  bool scheduled = false;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Publisher::Publisher(Loop& loop, Context& context, Limits limits, Traffic& traffic)
    : impl_(std::make_unique<Impl>(loop, context, limits, traffic)) {}
Publisher::~Publisher() = default;

Result<std::string> Publisher::bind(const std::string& endpoint) { return impl_->socket.bind(endpoint); }

bool Publisher::wanted(std::string_view topic) const noexcept {
  std::string framed(topic);
  framed += '\0';
  for (const auto& filter : impl_->filters) {
    if (std::string_view(framed).starts_with(filter)) return true;
  }
  return false;
}

Result<void> Publisher::send(std::string_view topic, const wire::Header& header, Bytes payload) {
  if (payload.size() > impl_->limits.wire.payload_max) return too_large(payload.size(), impl_->limits);
  std::string key(topic);
  auto found = impl_->outboxes.find(key);
  if (found == impl_->outboxes.end()) found = impl_->outboxes.emplace(key, Outbox(key + '\0')).first;
  if (found->second.empty()) impl_->waiting.push_back(&found->second);
  found->second.add(header, {}, std::move(payload));
  ++impl_->traffic.sent;
  if (found->second.bytes() > kTurnBytes) impl_->flush();
  if (std::exchange(impl_->scheduled, true)) return {};
  impl_->loop.at_turn_end([impl = impl_.get(), alive = std::weak_ptr<int>(impl_->life)] {
    if (alive.lock()) impl->flush();
  });
  return {};
}

void Publisher::flush() { impl_->flush(); }

struct Subscriber::Impl {
  Impl(Loop& l, Context& context, Limits li, Traffic& t, OnEvent handler)
      : limits(li),
        traffic(t),
        on_event(std::move(handler)),
        socket(l, context, zmq::socket_type::sub, li, [this] { drain(); }) {}

  void drain() {
    for (zmq::message_t frame, payload; socket.receive(frame);) {
      payload.rebuild();
      if (frame.more() && socket.receive_more(payload)) socket.skip_rest(payload);
      const auto text = frame.to_string_view();
      const auto end = text.substr(0, kTopicMax + 1).find('\0');
      if (end == std::string_view::npos) {
        ++traffic.dropped_malformed;
        continue;
      }
      const auto topic = text.substr(0, end);
      const auto done =
          unpack(view(frame).subspan(end + 1), view(payload), limits.wire, traffic, [&](wire::EnvelopeView event) {
            event.name = topic;
            if (event.header.kind == wire::Kind::event) on_event(event);
          });
      if (!done) ++traffic.dropped_malformed;
    }
  }

  Limits limits;
  Traffic& traffic;
  OnEvent on_event;
  Socket socket;
  std::map<std::string, int> filters;
};

Subscriber::Subscriber(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEvent on_event)
    : impl_(std::make_unique<Impl>(loop, context, limits, traffic, std::move(on_event))) {}
Subscriber::~Subscriber() = default;

Result<void> Subscriber::connect(const std::string& endpoint) { return impl_->socket.connect(endpoint); }

void Subscriber::disconnect(const std::string& endpoint) {
  zmq_disconnect(impl_->socket.raw().handle(), endpoint.c_str());  // an endpoint that is not connected is fine
}

void Subscriber::add_filter(const std::string& prefix) {
  if (impl_->filters[prefix]++ == 0) impl_->socket.raw().set(zmq::sockopt::subscribe, prefix);
}

void Subscriber::remove_filter(const std::string& prefix) {
  const auto found = impl_->filters.find(prefix);
  if (found == impl_->filters.end() || --found->second > 0) return;
  impl_->filters.erase(found);
  impl_->socket.raw().set(zmq::sockopt::unsubscribe, prefix);
}

}  // namespace weft::net
