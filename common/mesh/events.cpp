#include "weft/mesh/events.hpp"

#include <algorithm>

namespace weft::mesh {
namespace {
constexpr std::size_t kTopicsMax = 65'536;    // topics one process publishes
constexpr std::size_t kAnnouncedMax = 256;    // topics named one by one in the record; then by their first segment
constexpr std::size_t kTrackedMax = 262'144;  // publishers times topics whose sequence a subscriber remembers
constexpr std::string_view kDropped = "weft_messages_dropped_total",
                           kDroppedHelp = "Messages lost, by class and reason";
}  // namespace

Events::Events(Loop& loop, net::Context& context, const PeerOptions& options, net::Limits limits, net::Traffic& traffic,
               observe::Metrics& metrics, observe::Log& log)
    : options_(options),
      log_(log),
      publisher_(loop, context, limits, traffic),
      subscriber_(loop, context, limits, traffic, [this](const wire::EnvelopeView& event) { take(event); }),
      published_(
          metrics.counter("weft_events_published_total", "Events published, whether or not somebody subscribed")),
      received_(metrics.counter("weft_events_received_total", "Events received that a subscription matched")),
      gaps_(metrics.counter(kDropped, kDroppedHelp, {{"class", "event"}, {"reason", "gap"}})),
      handler_failures_(metrics.counter("weft_event_handler_failures_total", "Event handlers that threw")) {}

Result<bool> Events::announce(std::string pattern) {
  auto parsed = TopicPattern::parse(pattern);
  if (!parsed) return parsed.error();
  for (const auto& known : announced_) {
    if (known.text() == pattern) return false;
  }
  announced_.push_back(std::move(*parsed));
  return true;
}

std::vector<std::string> Events::topics() const {
  std::vector<std::string> all;
  for (const auto& pattern : announced_) all.push_back(pattern.text());
  return all;
}

Result<Events::Topic*> Events::topic(std::string_view name) {
  std::string key(name);
  if (const auto found = topics_.find(key); found != topics_.end()) return &found->second;
  if (auto fine = check_topic(name); !fine) return fine.error();
  if (topics_.size() >= kTopicsMax) {
    return Error(codes::queue_full,
                 "agent '" + options_.agent + "' publishes " + std::to_string(kTopicsMax) + " topics already",
                 "put what varies without bound into the payload");
  }
  return &topics_[std::move(key)];
}

Result<bool> Events::publish(std::string_view name, Payload payload) {
  auto found = topic(name);
  if (!found) return found.error();
  Topic& state = **found;
  if (payload.bytes.size() > options_.limits.payload_max) {
    return Error(codes::too_large, "an event of " + std::to_string(payload.bytes.size()) + " bytes on '" +
                                       std::string(name) + "' is over the limit of " +
                                       std::to_string(options_.limits.payload_max));
  }
  bool announced = false;
  if (!std::exchange(state.announced, true)) {
    const bool known =
        std::any_of(announced_.begin(), announced_.end(), [&](const auto& pattern) { return pattern.matches(name); });
    if (!known) {
      const bool full = announced_.size() >= kAnnouncedMax;
      const auto done = announce(full ? std::string(name.substr(0, name.find('.'))) + ".#" : std::string(name));
      announced = done && *done;
    }
  }
  ++state.sequence;
  published_.add();
  if (!publisher_.wanted(name)) return announced;
  wire::Header header;
  header.kind = wire::Kind::event;
  header.encoding = payload.encoding;
  header.id = state.sequence;
  header.sender = options_.instance.short_id();
  header.epoch = static_cast<std::uint32_t>(epoch_);
  if (auto sent = publisher_.send(name, header, std::move(payload.bytes)); !sent) return sent.error();
  return announced;
}

Subscription Events::subscribe(const TopicPattern& pattern, EventHandler handler) {
  auto entry = std::make_shared<Subscriber>();
  entry->pattern = pattern;
  entry->handler = std::move(handler);
  entry->filter = std::string(pattern.literal_prefix());
  if (pattern.exact()) entry->filter += '\0';
  subscriber_.add_filter(entry->filter);
  subscribers_.push_back(entry);
  return Subscription([this, entry, alive = std::weak_ptr<int>(life_)] {
    if (alive.lock()) close(entry);
  });
}

void Events::close(const std::shared_ptr<Subscriber>& subscriber) {
  subscriber->closed = true;
  subscriber_.remove_filter(subscriber->filter);
  std::erase(subscribers_, subscriber);
  last_.clear();  // what the filter no longer lets through must not count as missed later
}

void Events::connect(const std::string& endpoint) {
  if (!connected_.insert(endpoint).second) return;
  if (auto done = subscriber_.connect(endpoint); !done) {
    connected_.erase(endpoint);
    log_.warn("cannot connect to a publisher", {{"endpoint", endpoint}, {"error", done.error().message}});
  }
}

void Events::disconnect(const std::string& endpoint) {
  if (connected_.erase(endpoint) > 0) subscriber_.disconnect(endpoint);
}

std::uint64_t Events::missed_before(const wire::EnvelopeView& envelope) {
  const std::uint64_t sequence = envelope.header.id;
  if (last_.size() >= kTrackedMax) last_.clear();
  const auto [at, first] = last_.try_emplace({envelope.header.sender, std::string(envelope.name)}, sequence);
  const std::uint64_t last = std::exchange(at->second, sequence);
  if (first || sequence <= last + 1) return 0;
  gaps_.add(sequence - last - 1);
  return sequence - last - 1;
}

void Events::take(const wire::EnvelopeView& envelope) {
  std::vector<std::shared_ptr<Subscriber>> matching;
  for (const auto& subscriber : subscribers_) {
    if (subscriber->pattern.matches(envelope.name)) matching.push_back(subscriber);
  }
  if (matching.empty()) return;
  received_.add();
  const Payload payload(envelope.header.encoding, Bytes(envelope.payload.begin(), envelope.payload.end()));
  const Event event{envelope.name,        payload, envelope.header.id, envelope.header.sender, missed_before(envelope),
                    envelope.header.trace};
  for (const auto& subscriber : matching) {
    if (!subscriber->closed) deliver(*subscriber, event);
  }
}

void Events::deliver(Subscriber& subscriber, const Event& event) {
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

}  // namespace weft::mesh
