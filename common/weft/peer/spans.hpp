// What every process of a mesh answers about the spans that it still has: its method "_spans", for weft trace and weft
// why.
#pragma once
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/observe/trace.hpp"

namespace weft::peer {

struct SpansRequest {
  static constexpr std::size_t kSpansMax = 1000;  ///< in one answer; the newest
  std::string trace_id;                           ///< 32 hex digits; or
  std::uint64_t message_id = 0;                   ///< of one message
  std::string sender;                             ///< of that one, 16 hex digits; empty: of anybody
  WEFT_FIELDS(SpansRequest, trace_id, message_id, sender)
};
struct SpanInfo {
  std::string trace_id, span_id, parent_id;  ///< hex; parent_id empty: a root
  std::string kind;                          ///< "client", "server", "producer", "consumer", "internal"
  std::string name, peer, error;             ///< error: "WEFT-2006", or empty
  std::uint64_t message_id = 0;
  std::uint16_t attempt = 1;
  std::int64_t begin_us = 0;  ///< wall time, by the clock of the host
  std::int64_t duration_ns = 0, queue_ns = 0, wire_ns = 0;
  bool sampled = false;
  std::string message;           ///< message_id with its sender: "9f86d081884c7d65-4294967297"; empty: none was sent
  std::string note;              ///< client: why this peer; others: why no handler got the message
  std::uint32_t candidates = 0;  ///< client: among how many the peer was chosen
  WEFT_FIELDS(SpanInfo, trace_id, span_id, parent_id, kind, name, peer, error, message_id, attempt, begin_us,
              duration_ns, queue_ns, wire_ns, sampled, message, note, candidates)
};
struct SpansReply {
  std::string agent, host, instance;
  std::uint64_t more = 0;  ///< spans that did not fit
  std::vector<SpanInfo> spans;
  WEFT_FIELDS(SpansReply, agent, host, instance, more, spans)
};

/// What `tracer` still has; agent, host and instance are left out. Errors: `bad_value`.
Result<SpansReply> spans_of(const observe::Tracer& tracer, const Clock& clock, const SpansRequest& request);

}  // namespace weft::peer
