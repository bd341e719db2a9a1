#include "weft/events/subscriptions.hpp"

#include <algorithm>
#include <cstdio>

#include "weft/observe/shared_metrics.hpp"
#include "weft/observe/trace.hpp"
#include "weft/wire/marks.hpp"

namespace weft::events {
namespace {

constexpr std::size_t kRoutesMax = 65'536;
constexpr std::size_t kCountersMax = 4096;  // senders whose counters are remembered; others are looked up again

}  // namespace

Subscriptions::Subscriptions(Loop& loop, net::Context& context, const Ulid& instance, net::Limits limits,
                             net::Traffic& traffic, observe::Metrics& metrics, observe::Log& log,
                             observe::Tracer* tracer)
    : loop_(loop),
      sender_(instance.short_id()),
      metrics_(metrics),
      log_(log),
      tracer_(tracer),
      subscriber_(
          loop, context, limits, traffic, [this](const wire::EnvelopeView& event) { take(event); },
          [this](const net::Request& request, const wire::EnvelopeView& answer) { take_answer(request, answer); }),
      ledger_({},
              [this](std::uint64_t sender, Drop reason, std::uint64_t count) { count_drop(sender, reason, count); }),
      received_(metrics.counter("weft_events_received_total", "Events received that a subscription matched")),
      out_of_order_(metrics.counter("weft_events_out_of_order_total",
                                    "Events that came after later ones of their topic, or again")),
      handler_failures_(observe::event_handler_failures(metrics)) {
  for (std::size_t i = 0; i < kDrops; ++i)
    observe::dropped_messages(metrics, {{"class", "event"}, {"reason", std::string(to_string(Drop(i)))}});
}

// ---- subscriptions

Subscription Subscriptions::subscribe(const TopicPattern& pattern, EventHandler handler,
                                      const SubscribeOptions& options) {
  auto entry = std::make_shared<Subscriber>();
  entry->pattern = pattern;
  entry->handler = std::move(handler);
  entry->filter = std::string(pattern.literal_prefix());
  if (pattern.exact()) entry->filter += '\0';
  subscriber_.add_filter(entry->filter);
  Standing& standing = standing_[pattern.text()];
  if (standing.users++ == 0) {
    standing.pattern = pattern;
    standing.request = {sender_, ++last_request_, false, entry->filter};
    subscriber_.ask(standing.request);
  }
  if (options.last_value) {
    entry->last_values = net::Request{sender_, ++last_request_, true, entry->filter};
    subscriber_.ask(*entry->last_values);
  }
  subscribers_.push_back(entry);
  ++subscriptions_;
  return Subscription(lifetime_.guard([this, entry] { close(entry); }));
}

void Subscriptions::close(const std::shared_ptr<Subscriber>& subscriber) {
  subscriber->closed = true;
  ++subscriptions_;
  std::erase(subscribers_, subscriber);
  if (subscriber->last_values) subscriber_.forget(*subscriber->last_values);
  subscriber_.remove_filter(subscriber->filter);
  const auto standing = standing_.find(subscriber->pattern.text());
  if (--standing->second.users > 0) return;
  subscriber_.forget(standing->second.request);
  standing_.erase(standing);
  // what is no longer subscribed to must not count as lost later
  ledger_.closed(
      subscriber->pattern,
      [this](std::string_view topic) {
        return std::any_of(subscribers_.begin(), subscribers_.end(),
                           [&](const auto& one) { return one->pattern.matches(topic); });
      },
      loop_.turn_time());
}

void Subscriptions::connect(const std::string& endpoint, std::uint64_t sender) {
  if (connected_[endpoint]++ == 0) {
    if (auto done = subscriber_.connect(endpoint); !done) {
      connected_.erase(endpoint);
      return log_.warn("cannot connect to a publisher", {{"endpoint", endpoint}, {"error", done.error().message}});
    }
  }
  if (sender != 0) subscriber_.expect_sender(sender, endpoint);
}

void Subscriptions::disconnect(const std::string& endpoint, std::uint64_t sender) {
  if (sender != 0) subscriber_.forget_sender(sender, endpoint);
  const auto found = connected_.find(endpoint);
  if (found == connected_.end() || --found->second > 0) return;
  connected_.erase(found);
  subscriber_.disconnect(endpoint);
}

// ---- what comes

Subscriptions::Route& Subscriptions::route(std::string_view topic) {
  if (!latest_ || latest_->topic != topic) {
    auto found = routes_.find(topic);
    if (found == routes_.end()) {
      if (routes_.size() >= kRoutesMax) routes_.clear();
      found = routes_.try_emplace(std::string(topic)).first;
      found->second.topic = topic;
    }
    latest_ = &found->second;
  }
  Route& route = *latest_;
  if (route.subscriptions != subscriptions_) {
    route.subscriptions = subscriptions_;
    route.matching.clear();
    for (const auto& subscriber : subscribers_) {
      if (subscriber->pattern.matches(topic)) route.matching.push_back(subscriber);
    }
  }
  return route;
}

Ledger::Stream& Subscriptions::stream(Route& route, std::uint64_t sender) {
  if (route.stream && route.sender == sender && route.generation == ledger_.generation()) return *route.stream;
  route.stream = &ledger_.stream(sender, route.topic, loop_.turn_time());
  route.sender = sender;
  route.generation = ledger_.generation();
  return *route.stream;
}

void Subscriptions::take(const wire::EnvelopeView& envelope) {
  Route& to = route(envelope.name);
  if (to.matching.empty()) return;
  const wire::Header& header = envelope.header;
  if (header.kind == wire::Kind::heartbeat) return take_heartbeat(envelope);
  Ledger::Stream& from = stream(to, header.sender);
  const auto taken = ledger_.take(from, header.sender, header.id, loop_.turn_time());
  if (taken.verdict != Ledger::Verdict::fresh) return out_of_order_.add();
  received_.add();
  payload_.encoding = header.encoding;
  payload_.bytes.assign(envelope.payload.begin(), envelope.payload.end());
  Event event{envelope.name, payload_, header.id, header.sender, taken.missed, header.trace};
  std::optional<Drop> refused;
  if (header.deadline_us > 0 && expired(event, envelope)) {
    refused = Drop::expired;
  } else if (admits_ && !admits_(event)) {
    refused = Drop::denied;
  }
  if (!refused) return give(to, event);
  ledger_.drop(from, header.sender, *refused);
  tell_drop(event, *refused);
}

void Subscriptions::give(Route& route, const Event& event) {
  in_hand_ = true;
  drop_in_hand_.reset();
  const auto number = route.stream->number;
  for (const auto& subscriber : route.matching) {
    if (subscriber->closed) continue;
    if (subscriber->last_values) {
      auto& given = subscriber->given[number];
      if (event.sequence <= given) continue;  // was its last value already
      given = event.sequence;
    }
    deliver(*subscriber, event);
  }
  in_hand_ = false;
  if (!drop_in_hand_) return;
  if (auto* from = ledger_.find(event.sender, event.topic)) ledger_.drop(*from, event.sender, *drop_in_hand_);
}

/// Its time to live is over when it was on its way for that much longer than the fastest message of its sender.
bool Subscriptions::expired(Event& event, const wire::EnvelopeView& envelope) {
  const Duration life = std::chrono::microseconds(envelope.header.deadline_us);
  const auto sent = wire::sent_us(envelope.extension);
  const Duration age = sent ? transit_.excess(event.sender, *sent, loop_.clock().wall()) : Duration();
  event.expires = loop_.now() + (life - age);
  return age >= life;
}

void Subscriptions::take_heartbeat(const wire::EnvelopeView& envelope) {
  const auto& header = envelope.header;
  if (const auto sent = wire::sent_us(envelope.extension))
    (void)transit_.excess(header.sender, *sent, loop_.clock().wall());
  ledger_.heartbeat(ledger_.stream(header.sender, envelope.name, loop_.turn_time()), header.sender, header.id,
                    wire::marks_of(envelope.payload));
}

void Subscriptions::take_answer(const net::Request& request, const wire::EnvelopeView& envelope) {
  if (request.subscriber != sender_) return;
  const auto& header = envelope.header;
  if (request.last_values) {
    if (header.kind != wire::Kind::reply) return;
    for (const auto& subscriber : subscribers_) {
      if (subscriber->last_values && subscriber->last_values->number == request.number)
        return give_last_value(*std::shared_ptr<Subscriber>(subscriber), envelope);
    }
    return;
  }
  const auto standing = std::find_if(standing_.begin(), standing_.end(),
                                     [&](const auto& one) { return one.second.request.number == request.number; });
  if (standing == standing_.end()) return;
  if (!envelope.name.empty()) {
    if (!standing->second.pattern.matches(envelope.name)) return;
    return ledger_.stands_at(ledger_.stream(header.sender, envelope.name, loop_.turn_time()), header.sender, header.id,
                             wire::marks_of(envelope.payload));
  }
  ledger_.told(header.sender, standing->second.pattern, loop_.turn_time());
  if (const auto sent = wire::sent_us(envelope.extension))
    (void)transit_.excess(header.sender, *sent, loop_.clock().wall());
}

void Subscriptions::give_last_value(Subscriber& subscriber, const wire::EnvelopeView& envelope) {
  if (!subscriber.pattern.matches(envelope.name)) return;
  const auto& header = envelope.header;
  auto& given = subscriber.given[ledger_.stream(header.sender, envelope.name, loop_.turn_time()).number];
  if (header.id <= given) return;
  given = header.id;
  payload_.encoding = header.encoding;
  payload_.bytes.assign(envelope.payload.begin(), envelope.payload.end());
  Event event{envelope.name, payload_, header.id, header.sender, 0, header.trace};
  event.last_value = true;
  if (!admits_ || admits_(event)) deliver(subscriber, event);
}

void Subscriptions::deliver(Subscriber& subscriber, const Event& event) {
  try {
    subscriber.handler(event);
  } catch (const std::exception& thrown) {
    handler_failures_.add();
    log_.error("an event handler threw", {{"topic", event.topic}, {"what", thrown.what()}});
  } catch (...) {
    handler_failures_.add();
    log_.error("an event handler threw", {{"topic", event.topic}, {"what", "an exception of an unknown type"}});
  }
}

// ---- what was lost

/// Whoever asks later what became of this one is told.
void Subscriptions::tell_drop(const Event& event, Drop reason) {
  const std::string_view code = reason == Drop::expired       ? codes::message_expired.id
                                : reason == Drop::denied      ? codes::unauthorized.id
                                : reason == Drop::undecodable ? codes::bad_payload.id
                                : reason == Drop::mailbox     ? codes::mailbox_full.id
                                                              : codes::actor_closed.id;
  observe::record_unhandled(tracer_, loop_, observe::SpanKind::consumer, event.topic, {event.sequence, event.sender},
                            event.trace, code, "dropped: " + std::string(to_string(reason)));
}

void Subscriptions::dropped(std::uint64_t sender, std::string_view topic, std::uint64_t sequence, Drop reason) {
  tell_drop({topic, payload_, sequence, sender, 0, {}}, reason);
  if (in_hand_) {  // several handlers may say so of one event: it counts once
    drop_in_hand_ = reason;
    return;
  }
  auto* from = ledger_.find(sender, topic);
  if (!from || sequence <= from->dropped_up_to) return;
  from->dropped_up_to = sequence;
  ledger_.drop(*from, sender, reason);
}

void Subscriptions::count_drop(std::uint64_t sender, Drop reason, std::uint64_t count) {
  if (drop_counters_.size() >= kCountersMax && !drop_counters_.contains(sender)) drop_counters_.clear();
  auto& counter = drop_counters_[sender][static_cast<std::size_t>(reason)];
  if (!counter) {
    const std::string peer = name_of_ ? name_of_(sender) : std::string();
    observe::Labels labels{{"class", "event"}, {"reason", std::string(to_string(reason))}};
    if (!peer.empty()) labels.emplace_back("peer", peer);
    counter = &observe::dropped_messages(metrics_, labels);
  }
  counter->add(count);
}

std::vector<wire::HeardTopic> Subscriptions::report(std::size_t limit) const {
  std::vector<wire::HeardTopic> all;
  for (const auto& [sender, source] : ledger_.sources()) {
    for (const auto& [topic, stream] : source->streams) {
      if (all.size() >= limit) return all;
      if (stream.sent == 0 && stream.repeated == 0) continue;
      wire::HeardTopic row;
      std::array<char, 17> hex{};
      std::snprintf(hex.data(), hex.size(), "%016llx", static_cast<unsigned long long>(sender));
      row.sender = hex.data();
      row.peer = name_of_ ? name_of_(sender) : std::string();
      row.topic = topic;
      row.sequence = stream.last;
      row.sent = stream.sent;
      row.received = stream.received;
      for (std::size_t i = 0; i < kDrops; ++i) {
        if (stream.dropped[i] > 0) row.dropped.emplace(to_string(Drop(i)), stream.dropped[i]);
      }
      row.unexplained = stream.unexplained();
      row.repeated = stream.repeated;
      all.push_back(std::move(row));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return std::tie(a.topic, a.sender) < std::tie(b.topic, b.sender); });
  return all;
}

}  // namespace weft::events
