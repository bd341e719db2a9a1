// Event: one publication as its subscribers see it, and how topics are published and subscribed to.
#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/wire/payload.hpp"

namespace weft::events {

using wire::Payload;

/// What became of a publication that a subscriber's handler did not get.
enum class Drop : std::uint8_t {
  gap,          ///< lost between the two sockets: the connection broke, or something between them dropped it
  hwm,          ///< the publisher's queue for this subscriber was full
  expired,      ///< its time to live was over
  denied,       ///< Peer::admit_events() said no
  undecodable,  ///< its payload is not what the handler takes
  mailbox,      ///< the handler's mailbox was full
  unroutable,   ///< the handler has ended
  reordered,    ///< came after later ones, when its loss had been told already
};
inline constexpr std::size_t kDrops = 8;
std::string_view to_string(Drop reason) noexcept;

/// One publication as a subscriber sees it. Borrowed: lives during the handler only.
struct Event {
  std::string_view topic;
  const Payload& payload;
  std::uint64_t sequence;  ///< per publisher and topic, from 1, without gaps at the publisher
  std::uint64_t sender;    ///< Ulid::short_id() of the publishing instance
  std::uint64_t missed;    ///< how many of this publisher and topic were lost just before this one
  TraceContext trace;
  bool last_value = false;               ///< not news: what was published last before the subscription
  TimePoint expires = TimePoint::max();  ///< when its time to live is over; max: never
};
using EventHandler = UniqueFunction<void(const Event&)>;

/// How a topic is published.
struct Retention {
  std::size_t topics_max = 0;           ///< topics whose last value is kept for those who come later; more are not kept
  std::size_t bytes_max = 1024 * 1024;  ///< of all of them together; a value that does not fit is not kept
};
struct PublishOptions {
  /// After this the event is dropped before a handler sees it; 0: never. At most 71 minutes, more is never.
  Duration time_to_live{};
  TraceContext trace{};  ///< of the work that publishes, such as Call::trace(); Event::trace continues it
};
struct SubscribeOptions {
  /// First the last value of each matching topic that its publisher keeps (Retention), then what follows it: no value
  /// twice, none left out between. Again after a lost connection, where there is a newer one.
  bool last_value = false;
  /// Called once, and logged, when no topic that matches is published some time after the directory was filled:
  /// `nearest` is what may have been meant, or empty. Only by Mesh.
  std::function<void(const std::string& nearest)> on_unpublished{};
};

}  // namespace weft::events
