// Publications: what a process publishes: topics and their sequences, last values, and the heartbeats that tell
// subscribers of a lost end.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/events/event.hpp"
#include "weft/events/ledger.hpp"
#include "weft/net/net.hpp"
#include "weft/observe/observe.hpp"
#include "weft/wire/ledger_reply.hpp"

namespace weft::events {

class Publications {
 public:
  /// Borrows all but the limits.
  Publications(Loop& loop, net::Context& context, const Identity& identity, net::Limits limits, net::Traffic& traffic,
               observe::Metrics& metrics, observe::Log& log);

  net::Publisher& publisher() noexcept { return publisher_; }
  /// True when this was new.
  Result<bool> announce(std::string pattern, const Retention& retention);
  /// Numbers and sends; tells whether the topic had to be announced.
  Result<bool> publish(std::string_view topic, Payload payload, const PublishOptions& options);
  std::vector<std::string> topics() const;
  void set_epoch(std::uint64_t epoch) noexcept { epoch_ = static_cast<std::uint32_t>(epoch); }
  /// Tells everybody now where each topic stands.
  void tell_all();
  std::vector<wire::PublishedTopic> report(std::size_t limit) const;

 private:
  /// A pattern whose topics' last values are kept.
  struct Kept {
    TopicPattern pattern;
    Retention limits;
    std::size_t topics = 0, bytes = 0;
  };
  struct Topic {
    Topic(std::string_view n, net::Channel& c) : name(n), channel(c) {}
    std::string name;
    net::Channel& channel;
    std::uint64_t sequence = 0;
    bool announced = false;
    // last value
    std::size_t kept_by = 0;  // 1 + place in kept_; 0: not kept
    std::uint64_t kept_sequence = 0;
    Payload kept;
    // heartbeats
    bool beating = false, published = false;  // published: since the last look
    Duration pause{};
    TimePoint next_beat{};
    std::uint64_t last_mark = 0;
  };

  Result<Topic*> topic(std::string_view name);
  Result<Topic*> make_topic(std::string_view name);
  bool announce_topic(Topic& topic);
  void assign_kept(Topic& topic);
  void keep(Topic& topic, const Payload& payload);
  void drop_kept(Topic& topic);
  wire::Header header(wire::Kind kind, std::uint64_t sequence) const;

  void begin_beating(Topic& topic);
  void look();
  void look_before(TimePoint when);
  bool keeps_beating(Topic& topic, TimePoint now);
  void beat(Topic& topic);
  void answer(const net::Request& request);

  Loop& loop_;
  const Identity& identity_;
  const std::size_t payload_max_;
  observe::Log& log_;
  net::Publisher publisher_;
  std::unordered_map<std::string, Topic, TextHash, std::equal_to<>> topics_;
  Topic* latest_ = nullptr;  // the one found last
  std::vector<TopicPattern> announced_;
  std::vector<Kept> kept_;
  std::vector<Topic*> beating_;
  Timer next_look_;
  TimePoint look_at_{};
  observe::Counter& published_;
  observe::Counter& not_kept_;
  std::uint64_t sender_;
  std::uint32_t epoch_ = 0;
};

}  // namespace weft::events
