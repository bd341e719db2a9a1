#include <map>

#include "weft/net/socket.hpp"
#include "weft/net/sources.hpp"

namespace weft::net {
namespace {

constexpr std::size_t kHeadMax = kTopicMax + 32;  // a topic, or the address of a request

/// What a topic begins with. The empty filter stands for these: taken as it is, it would take the answers to
/// everybody's requests too.
constexpr std::string_view kTopicStarts = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

}  // namespace

struct Subscriber::Impl {
  Impl(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEvent on_event, OnAnswer on_answer)
      : limits_(limits),
        traffic_(traffic),
        on_event_(std::move(on_event)),
        on_answer_(std::move(on_answer)),
        socket_(loop, context, zmq::socket_type::sub, limits, [this] { drain(); }) {
    socket_.on_connection([this](int descriptor, std::string_view endpoint, bool open) {
      if (open) {
        sources_.connected(descriptor, endpoint);
      } else {
        sources_.disconnected(descriptor);
      }
    });
    socket_.raw().set(zmq::sockopt::sndhwm, 0);  // ZeroMQ drops a subscription that does not fit, silently
  }

  void drain() {
    socket_.drain_monitor();  // a connection is reported before its first message
    for (zmq::message_t frame, payload; socket_.receive(frame);) {
      payload.rebuild();
      if (frame.more() && socket_.receive_more(payload)) socket_.skip_rest(payload);
      if (!take(frame, payload)) ++traffic_.dropped_malformed;
    }
  }

  bool take(const zmq::message_t& frame, const zmq::message_t& payload) {
    const auto text = frame.to_string_view();
    const auto end = text.substr(0, kHeadMax + 1).find('\0');
    if (end == std::string_view::npos) return false;
    const auto head = text.substr(0, end);
    const auto rest = view(frame).subspan(end + 1);
    const int from = zmq_msg_get(const_cast<zmq::message_t&>(frame).handle(), ZMQ_SRCFD);
    if (const auto request = Request::parse(head)) {
      return unpack(rest, view(payload), limits_.wire, traffic_,
                    [&](const wire::EnvelopeView& envelope) {
                      if (on_answer_ && counts(from, envelope)) on_answer_(*request, envelope);
                    })
          .has_value();
    }
    return unpack(rest, view(payload), limits_.wire, traffic_,
                  [&](wire::EnvelopeView event) {
                    event.name = head;
                    if (!counts(from, event)) return;
                    if (event.header.kind == wire::Kind::event || event.header.kind == wire::Kind::heartbeat)
                      on_event_(event);
                  })
        .has_value();
  }

  bool counts(int from, const wire::EnvelopeView& envelope) {
    if (sources_.counts(from, envelope.header.sender)) return true;
    ++traffic_.dropped_foreign;
    return false;
  }

  void set(const std::string& filter, bool on) {
    const auto one = [&](std::string_view prefix) {
      if (on)
        socket_.raw().set(zmq::sockopt::subscribe, prefix);
      else
        socket_.raw().set(zmq::sockopt::unsubscribe, prefix);
    };
    if (!filter.empty()) return one(filter);
    for (std::size_t i = 0; i < kTopicStarts.size(); ++i) one(kTopicStarts.substr(i, 1));
  }

  Limits limits_;
  Traffic& traffic_;
  OnEvent on_event_;
  OnAnswer on_answer_;
  Sources sources_;
  Socket socket_;
  std::map<std::string, int> filters_;
};

Subscriber::Subscriber(Loop& loop, Context& context, Limits limits, Traffic& traffic, OnEvent on_event,
                       OnAnswer on_answer)
    : impl_(std::make_unique<Impl>(loop, context, limits, traffic, std::move(on_event), std::move(on_answer))) {}
Subscriber::~Subscriber() = default;

Result<void> Subscriber::connect(const std::string& endpoint) { return impl_->socket_.connect(endpoint); }

void Subscriber::disconnect(const std::string& endpoint) { impl_->socket_.disconnect(endpoint); }

void Subscriber::expect_sender(std::uint64_t sender, const std::string& endpoint) {
  impl_->sources_.expect(sender, endpoint);
}
void Subscriber::forget_sender(std::uint64_t sender, const std::string& endpoint) {
  impl_->sources_.forget(sender, endpoint);
}

void Subscriber::add_filter(const std::string& prefix) {
  if (impl_->filters_[prefix]++ == 0) impl_->set(prefix, true);
}

void Subscriber::remove_filter(const std::string& prefix) {
  const auto found = impl_->filters_.find(prefix);
  if (found == impl_->filters_.end() || --found->second > 0) return;
  impl_->filters_.erase(found);
  impl_->set(prefix, false);
}

void Subscriber::ask(const Request& request) { impl_->set(request.address(), true); }
void Subscriber::forget(const Request& request) { impl_->set(request.address(), false); }

}  // namespace weft::net
