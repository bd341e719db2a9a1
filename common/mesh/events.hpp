// Events: publications out, subscriptions in, and the account of what was missed between them. Private to mesh.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"

namespace weft::mesh {

class Events {
 public:
  Events(Loop& loop, net::Context& context, const PeerOptions& options, net::Limits limits, net::Traffic& traffic,
         observe::Metrics& metrics, observe::Log& log);

  net::Publisher& publisher() noexcept { return publisher_; }
  /// True when this was new.
  Result<bool> announce(std::string pattern);
  /// Numbers and sends; tells whether the topic had to be announced.
  Result<bool> publish(std::string_view topic, Payload payload);
  std::vector<std::string> topics() const;
  bool publishes_anything() const noexcept { return !announced_.empty(); }
  void set_epoch(std::uint64_t epoch) noexcept { epoch_ = epoch; }

  Subscription subscribe(const TopicPattern& pattern, EventHandler handler);
  void connect(const std::string& endpoint);
  void disconnect(const std::string& endpoint);

 private:
  struct Topic {
    std::uint64_t sequence = 0;
    bool announced = false;
  };
  struct Subscriber {
    TopicPattern pattern;
    EventHandler handler;
    std::string filter;
    bool closed = false;
  };
  Result<Topic*> topic(std::string_view name);
  void close(const std::shared_ptr<Subscriber>& subscriber);
  void take(const wire::EnvelopeView& envelope);
  std::uint64_t missed_before(const wire::EnvelopeView& envelope);
  void deliver(Subscriber& subscriber, const Event& event);

  const PeerOptions& options_;
  observe::Log& log_;
  net::Publisher publisher_;
  net::Subscriber subscriber_;
  std::unordered_map<std::string, Topic> topics_;
  std::vector<TopicPattern> announced_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  std::set<std::string> connected_;
  std::map<std::pair<std::uint64_t, std::string>, std::uint64_t, std::less<>> last_;  // by sender and topic
  observe::Counter& published_;
  observe::Counter& received_;
  observe::Counter& gaps_;
  observe::Counter& handler_failures_;
  std::uint64_t epoch_ = 0;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

}  // namespace weft::mesh
