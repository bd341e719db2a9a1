// The answer of <agent>._ledger: what an instance published, and what became of what others published for it. Values.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weft/base/base.hpp"

namespace weft::wire {

struct LedgerRequest {
  static constexpr std::uint64_t kLimitMax = 100'000;
  std::uint64_t limit = 10'000;  ///< topics at most, of each side
  bool tell = false;             ///< also tells every subscriber now where each topic stands
  WEFT_FIELDS(LedgerRequest, limit, tell)
};
struct PublishedTopic {
  std::string topic;
  std::uint64_t sequence = 0;  ///< of the last event: as many were published
  bool last_value = false;     ///< is kept
  WEFT_FIELDS(PublishedTopic, topic, sequence, last_value)
};
/// sent = received + all of dropped + unexplained
struct HeardTopic {
  std::string sender;  ///< Ulid::short_id() of the publishing instance, 16 hexadecimal digits
  std::string peer;    ///< "agent@host", or empty when it is in no record any more
  std::string topic;
  std::uint64_t sequence = 0;  ///< the last that is known to have been published
  std::uint64_t sent = 0;      ///< since the subscription took effect
  std::uint64_t received = 0;
  std::map<std::string, std::uint64_t> dropped;  ///< by reason; only those that happened
  std::uint64_t unexplained = 0;                 ///< lost, and the publisher has not told yet why
  std::uint64_t repeated = 0;                    ///< came again, or after their loss was accounted for; not in `sent`
  WEFT_FIELDS(HeardTopic, sender, peer, topic, sequence, sent, received, dropped, unexplained, repeated)
};
struct LedgerReply {
  std::string agent, host;
  Ulid instance;
  std::vector<PublishedTopic> published;
  std::vector<HeardTopic> heard;
  bool complete = true;  ///< false: `limit` left some out
  WEFT_FIELDS(LedgerReply, agent, host, instance, published, heard, complete)
};

}  // namespace weft::wire
