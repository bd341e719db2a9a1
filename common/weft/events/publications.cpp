#include "weft/events/publications.hpp"

#include <algorithm>

#include "weft/wire/marks.hpp"
#include "weft/wire/sent_time.hpp"

namespace weft::events {
namespace {

constexpr std::size_t kTopicsMax = 65'536;  // topics one process publishes
constexpr std::size_t kAnnouncedMax = 256;  // topics named one by one in the record; then by their first segment
constexpr Duration kFirstBeat = 250ms;      // after the last event of a topic; then twice as long each time
constexpr Duration kPauseMax = 64s;

/// A filter is a whole topic followed by NUL, or what topics begin with.
bool filter_takes(std::string_view filter, std::string_view topic) noexcept {
  if (!filter.empty() && filter.back() == '\0') return topic == filter.substr(0, filter.size() - 1);
  return topic.starts_with(filter);
}

}  // namespace

Publications::Publications(Loop& loop, net::Context& context, const Identity& identity, net::Limits limits,
                           net::Traffic& traffic, observe::Metrics& metrics, observe::Log& log)
    : loop_(loop),
      identity_(identity),
      payload_max_(limits.wire.payload_max),
      log_(log),
      publisher_(loop, context, limits, traffic),
      next_look_(loop),
      published_(
          metrics.counter("weft_events_published_total", "Events published, whether or not somebody subscribed")),
      not_kept_(metrics.counter("weft_last_values_refused_total",
                                "Last values that are not kept: too many topics or bytes for their pattern")),
      sender_(identity.instance.short_id()) {
  publisher_.on_request([this](const net::Request& request) { answer(request); });
}

// ---- topics

Result<bool> Publications::announce(std::string pattern, const Retention& retention) {
  auto parsed = TopicPattern::parse(pattern);
  if (!parsed) return parsed.error();
  if (retention.topics_max > 0) {
    kept_.push_back({*parsed, retention});
    for (auto& [name, topic] : topics_) assign_kept(topic);
  }
  for (const auto& known : announced_) {
    if (known.text() == pattern) return false;
  }
  announced_.push_back(std::move(*parsed));
  return true;
}

std::vector<std::string> Publications::topics() const {
  std::vector<std::string> all;
  for (const auto& pattern : announced_) all.push_back(pattern.text());
  return all;
}

Result<Publications::Topic*> Publications::topic(std::string_view name) {
  if (latest_ && latest_->name == name) return latest_;
  const auto found = topics_.find(name);
  if (found == topics_.end()) return make_topic(name);
  return latest_ = &found->second;
}

Result<Publications::Topic*> Publications::make_topic(std::string_view name) {
  if (auto fine = check_topic(name); !fine) return fine.error();
  if (topics_.size() >= kTopicsMax) {
    return Error(codes::queue_full,
                 "agent '" + identity_.agent + "' publishes " + std::to_string(kTopicsMax) + " topics already",
                 "put what varies without bound into the payload");
  }
  Topic& made = topics_.try_emplace(std::string(name), name, publisher_.channel(name)).first->second;
  assign_kept(made);
  return latest_ = &made;
}

bool Publications::announce_topic(Topic& topic) {
  const bool known = std::any_of(announced_.begin(), announced_.end(),
                                 [&](const auto& pattern) { return pattern.matches(topic.name); });
  if (known) return false;
  const bool full = announced_.size() >= kAnnouncedMax;
  const auto done = announce(full ? topic.name.substr(0, topic.name.find('.')) + ".#" : topic.name, {});
  return done && *done;
}

wire::Header Publications::header(wire::Kind kind, std::uint64_t sequence) const {
  wire::Header header;
  header.kind = kind;
  header.id = sequence;
  header.sender = sender_;
  header.epoch = epoch_;
  return header;
}

Result<bool> Publications::publish(std::string_view name, Payload payload, const PublishOptions& options) {
  auto found = topic(name);
  if (!found) return found.error();
  Topic& topic = **found;
  if (payload.bytes.size() > payload_max_) {
    return Error(codes::too_large, "an event of " + std::to_string(payload.bytes.size()) + " bytes on '" +
                                       std::string(name) + "' is over the limit of " + std::to_string(payload_max_));
  }
  const bool announced = !std::exchange(topic.announced, true) && announce_topic(topic);
  ++topic.sequence;
  published_.add();
  if (topic.kept_by > 0) keep(topic, payload);
  if (!publisher_.wanted(topic.channel)) return announced;
  if (!std::exchange(topic.published, true)) begin_beating(topic);
  wire::Header out = header(wire::Kind::event, topic.sequence);
  out.encoding = payload.encoding;
  out.trace = options.trace;
  const auto life = std::chrono::duration_cast<std::chrono::microseconds>(options.time_to_live).count();
  Result<void> sent;
  if (life > 0 && life <= std::numeric_limits<std::uint32_t>::max()) {
    out.deadline_us = static_cast<std::uint32_t>(life);
    const auto extension = wire::sent_extension(loop_.clock().wall());
    sent = publisher_.send(topic.channel, out, extension, std::move(payload.bytes));
  } else {
    sent = publisher_.send(topic.channel, out, {}, std::move(payload.bytes));
  }
  if (!sent) return sent.error();
  return announced;
}

// ---- last values

void Publications::assign_kept(Topic& topic) {
  for (std::size_t i = 0; i < kept_.size() && topic.kept_by == 0; ++i) {
    if (!kept_[i].pattern.matches(topic.name)) continue;
    if (kept_[i].topics >= kept_[i].limits.topics_max) {
      not_kept_.add();
      log_.warn("the last value of a topic is not kept: its pattern has too many topics",
                {{"topic", topic.name}, {"pattern", kept_[i].pattern.text()}});
      return;
    }
    ++kept_[i].topics;
    topic.kept_by = i + 1;
  }
}

void Publications::drop_kept(Topic& topic) {
  kept_[topic.kept_by - 1].bytes -= topic.kept.bytes.size();
  topic.kept.bytes.clear();
  topic.kept_sequence = 0;
}

void Publications::keep(Topic& topic, const Payload& payload) {
  drop_kept(topic);
  Kept& by = kept_[topic.kept_by - 1];
  if (by.bytes + payload.bytes.size() > by.limits.bytes_max) {
    not_kept_.add();
    return;
  }
  by.bytes += payload.bytes.size();
  topic.kept.encoding = payload.encoding;
  topic.kept.bytes.assign(payload.bytes.begin(), payload.bytes.end());
  topic.kept_sequence = topic.sequence;
}

/// In the order of the connection: what the subscriber gets besides this is after it.
void Publications::answer(const net::Request& request) {
  for (auto& [name, topic] : topics_) {
    if (!filter_takes(request.filter, name)) continue;
    if (!request.last_values) {
      publisher_.answer(header(wire::Kind::heartbeat, topic.sequence), name, {},
                        wire::marks_payload(publisher_.marks(topic.channel)));
    } else if (topic.kept_sequence > 0) {
      wire::Header out = header(wire::Kind::reply, topic.kept_sequence);
      out.encoding = topic.kept.encoding;
      publisher_.answer(out, name, {}, topic.kept.bytes);
    }
  }
  publisher_.answer(header(wire::Kind::heartbeat, 0), {}, wire::sent_extension(loop_.clock().wall()), {});
}

// ---- heartbeats: the end of what was published may be lost, and nothing that comes later would tell

void Publications::begin_beating(Topic& topic) {
  if (!std::exchange(topic.beating, true)) beating_.push_back(&topic);
  look_before(loop_.turn_time() + kFirstBeat);
}

void Publications::look_before(TimePoint when) {
  if (next_look_.running() && look_at_ <= when) return;
  look_at_ = when;
  next_look_.start(when - loop_.turn_time(), [this] { look(); });
}

bool Publications::keeps_beating(Topic& topic, TimePoint now) {
  if (!publisher_.wanted(topic.channel)) return false;
  const auto& marks = publisher_.marks(topic.channel);
  const bool marked = !marks.empty() && std::exchange(topic.last_mark, marks.back()) != marks.back();
  if (std::exchange(topic.published, false)) {
    topic.pause = kFirstBeat;
    topic.next_beat = now + topic.pause;
    if (marked) beat(topic);
    return true;
  }
  if (now < topic.next_beat && !marked) return true;
  beat(topic);
  topic.pause = std::min(topic.pause * 2, kPauseMax);
  topic.next_beat = now + topic.pause;
  return true;
}

void Publications::look() {
  const TimePoint now = loop_.turn_time();
  std::erase_if(beating_, [&](Topic* topic) { return !(topic->beating = keeps_beating(*topic, now)); });
  if (beating_.empty()) return;
  TimePoint next = now + kPauseMax;
  for (const Topic* topic : beating_) next = std::min(next, topic->next_beat);
  look_before(std::max(next, now + kFirstBeat));
}

void Publications::beat(Topic& topic) {
  (void)publisher_.send(topic.channel, header(wire::Kind::heartbeat, topic.sequence),
                        wire::sent_extension(loop_.clock().wall()),
                        wire::marks_payload(publisher_.marks(topic.channel)));
}

void Publications::tell_all() {
  for (auto& [name, topic] : topics_) {
    if (topic.sequence > 0 && publisher_.wanted(topic.channel)) beat(topic);
  }
}

std::vector<wire::PublishedTopic> Publications::report(std::size_t limit) const {
  std::vector<wire::PublishedTopic> all;
  for (const auto& [name, topic] : topics_) {
    if (all.size() >= limit) break;
    all.push_back({name, topic.sequence, topic.kept_sequence > 0});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.topic < b.topic; });
  return all;
}

}  // namespace weft::events
