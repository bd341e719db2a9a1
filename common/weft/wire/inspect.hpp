// What every process of a mesh answers about itself, by built-in methods whose names begin with '_': for weft ping,
// top, why, list. Values; payloads are MessagePack. docs/protocol.md names the methods.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/wire/record.hpp"

namespace weft::wire {

/// The agent's name in calls of these methods to an endpoint whose process one does not know.
inline constexpr std::string_view kWhoever = "_";

/// MethodInfo::kind of methods that every process serves, and that no record lists.
inline constexpr std::string_view kBuiltIn = "built-in";

/// `_ping`: nil -> who answers.
struct PingReply {
  std::string agent, host, instance, version;
  int pid = 0;
  std::int64_t up_us = 0;  ///< since its start
  bool draining = false;
  std::uint32_t protocol_min = 1, protocol_max = 1;
  WEFT_FIELDS(PingReply, agent, host, instance, version, pid, up_us, draining, protocol_min, protocol_max)
};

/// `_peers`: nil -> the records that this process holds, which may be older than a registry's. Served by whatever looks
/// at the registry.
struct PeersReply {
  std::vector<InstanceRecord> records;
  WEFT_FIELDS(PeersReply, records)
};

/// `_why`: what a call from this process would meet: WhyRequest -> CallExplanation.
struct WhyRequest {
  std::string target;  ///< "agent.method"
  std::string host;    ///< only instances there
  WEFT_FIELDS(WhyRequest, target, host)
};

/// A process that this one calls.
struct LinkStats {
  std::string endpoint;
  std::uint64_t in_flight = 0;
  std::uint64_t queued_bytes = 0;  ///< that the connection does not take yet
  bool connected = false;
  WEFT_FIELDS(LinkStats, endpoint, in_flight, queued_bytes, connected)
};
/// `_stats`: nil -> sums since its start, and what is going on now. Counters only grow.
struct StatsReply {
  std::string agent, host, instance;
  std::uint64_t requests = 0, request_failures = 0, requests_expired = 0, in_flight = 0;
  std::uint64_t calls = 0, call_failures = 0, calls_waiting = 0;
  std::uint64_t sent = 0, received = 0, dropped = 0;  ///< envelopes
  std::vector<double> bounds;                         ///< upper bounds of the buckets below, seconds; one more is above
  std::vector<std::uint64_t> request_times;           ///< requests handled, by how long that took
  std::vector<LinkStats> links;
  WEFT_FIELDS(StatsReply, agent, host, instance, requests, request_failures, requests_expired, in_flight, calls,
              call_failures, calls_waiting, sent, received, dropped, bounds, request_times, links)
};

/// A request that is being handled.
struct HandledCall {
  std::string method;    ///< "agent.method"
  std::string sender;    ///< short id of the instance that asked, 16 hexadecimal digits
  std::uint64_t id = 0;  ///< as its caller numbered it
  std::int64_t age_us = 0;
  std::int64_t left_us = 0;        ///< of its budget; -1: no deadline
  std::vector<std::string> chain;  ///< the methods that wait for it, outermost first
  WEFT_FIELDS(HandledCall, method, sender, id, age_us, left_us, chain)
};
/// A call that waits for its answer.
struct WaitingCall {
  std::string target, endpoint;
  std::uint64_t id = 0;
  std::int64_t age_us = 0;
  std::int64_t left_us = 0;  ///< -1: no deadline
  std::string on_behalf_of;  ///< the method of this process whose handler made it; empty: none
  WEFT_FIELDS(WaitingCall, target, endpoint, id, age_us, left_us, on_behalf_of)
};
/// `_waits`: nil -> who waits for whom, the oldest first; at most kWaitsMax of each.
struct WaitsReply {
  static constexpr std::size_t kWaitsMax = 1000;
  std::string agent, host, instance;
  std::vector<HandledCall> handled;
  std::vector<WaitingCall> waiting;
  WEFT_FIELDS(WaitsReply, agent, host, instance, handled, waiting)
};

}  // namespace weft::wire
