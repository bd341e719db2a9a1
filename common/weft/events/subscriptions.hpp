// Subscriptions: subscriptions to the topics of other processes, and the account of what was lost on the way.
// Loop-bound.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "weft/base/lifetime.hpp"
#include "weft/events/event.hpp"
#include "weft/events/ledger.hpp"
#include "weft/events/subscription.hpp"
#include "weft/net/net.hpp"
#include "weft/observe/observe.hpp"
#include "weft/wire/ledger_reply.hpp"
#include "weft/wire/sent_time.hpp"

namespace weft::observe {
class Tracer;
}

namespace weft::events {

class Subscriptions {
 public:
  /// `instance` is that of this process. Borrows the rest, but for the limits. Without a `tracer` no spans are kept of
  /// events that no handler got.
  Subscriptions(Loop& loop, net::Context& context, const Ulid& instance, net::Limits limits, net::Traffic& traffic,
                observe::Metrics& metrics, observe::Log& log, observe::Tracer* tracer);

  Subscription subscribe(const TopicPattern& pattern, EventHandler handler, const SubscribeOptions& options);
  /// Counted: disconnect as often. With a `sender` other than 0, that number counts only in events from `endpoint`.
  void connect(const std::string& endpoint, std::uint64_t sender = 0);
  void disconnect(const std::string& endpoint, std::uint64_t sender = 0);

  /// See Peer.
  void dropped(std::uint64_t sender, std::string_view topic, std::uint64_t sequence, Drop reason);
  void admit(std::function<bool(const Event&)> admits) { admits_ = std::move(admits); }
  void name_senders(std::function<std::string(std::uint64_t sender)> name) { name_of_ = std::move(name); }
  std::vector<wire::HeardTopic> report(std::size_t limit) const;
  std::uint64_t unexplained() const noexcept { return ledger_.unexplained(); }

 private:
  struct Subscriber {
    TopicPattern pattern;
    EventHandler handler;
    std::string filter;
    bool closed = false;
    std::optional<net::Request> last_values;
    std::unordered_map<std::uint64_t, std::uint64_t> given;  // with last_values: sequence, by number of the stream
  };
  /// A pattern that is subscribed to, however often.
  struct Standing {
    TopicPattern pattern;
    std::size_t users = 0;
    net::Request request;  // asks each publisher where its topics stand
  };
  /// What is looked up once for many events of one topic.
  struct Route {
    std::string topic;
    std::uint64_t subscriptions = 0, generation = 0, sender = 0;  // for which the rest is right
    std::vector<std::shared_ptr<Subscriber>> matching;
    Ledger::Stream* stream = nullptr;
  };

  void close(const std::shared_ptr<Subscriber>& subscriber);
  void take(const wire::EnvelopeView& envelope);
  void take_answer(const net::Request& request, const wire::EnvelopeView& envelope);
  void give_last_value(Subscriber& subscriber, const wire::EnvelopeView& envelope);
  void take_heartbeat(const wire::EnvelopeView& envelope);
  Route& route(std::string_view topic);
  Ledger::Stream& stream(Route& route, std::uint64_t sender);
  bool expired(Event& event, const wire::EnvelopeView& envelope);
  void give(Route& route, const Event& event);
  void deliver(Subscriber& subscriber, const Event& event);
  void tell_drop(const Event& event, Drop reason);
  void count_drop(std::uint64_t sender, Drop reason, std::uint64_t count);

  Loop& loop_;
  const std::uint64_t sender_;  // of what this process sends
  observe::Metrics& metrics_;
  observe::Log& log_;
  observe::Tracer* const tracer_;
  net::Subscriber subscriber_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  std::map<std::string, Standing> standing_;      // by the pattern's text
  std::map<std::string, std::size_t> connected_;  // how often
  Ledger ledger_;
  wire::TransitTimes transit_;
  std::unordered_map<std::string, Route, TextHash, std::equal_to<>> routes_;
  Route* latest_ = nullptr;  // the one found last
  std::uint64_t subscriptions_ = 1;
  std::uint32_t last_request_ = 0;
  Payload payload_;                   // of the event in hand
  std::optional<Drop> drop_in_hand_;  // said by a handler of the event in hand
  bool in_hand_ = false;
  std::function<bool(const Event&)> admits_;
  std::function<std::string(std::uint64_t sender)> name_of_;
  std::unordered_map<std::uint64_t, std::array<observe::Counter*, kDrops>> drop_counters_;
  observe::Counter& received_;
  observe::Counter& out_of_order_;
  observe::Counter& handler_failures_;
  Lifetime lifetime_;
};

}  // namespace weft::events
