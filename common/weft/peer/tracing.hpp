// Tracing: the interceptor that makes a span of each attempt of a call and of each call handled. Private to peer.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "weft/calls/interceptor.hpp"
#include "weft/observe/observe.hpp"
#include "weft/observe/trace.hpp"
#include "weft/policy/balancer.hpp"

namespace weft::peer {

using calls::Incoming;
using calls::Interceptor;
using calls::Outgoing;
using wire::InstanceRecord;
using wire::Payload;

/// Loop-bound. Spans of sampled traces read the clock; others take the time at which the turn of the loop began.
class Tracing {
 public:
  /// Borrows `tracer` and `loop`. `agent` is the one that is served here.
  Tracing(observe::Tracer& tracer, const Loop& loop, std::string agent);
  /// Borrows this.
  Interceptor interceptor();
  /// The span of an event that is about to be published, which goes on with `trace`; for published().
  observe::Span publication(std::string_view topic, const TraceContext& trace);
  void published(observe::Span& span, const Result<bool>& outcome);

 private:
  /// What was looked up for an instance once, for the next calls to it.
  struct KnownPeer {
    const InstanceRecord* record = nullptr;
    std::uint64_t instance = 0;  // short_id(): another record may come to lie there
    std::uint32_t name = 0;
  };
  static constexpr std::size_t kPeersKnown = 64;
  static constexpr std::size_t kMethodsKnown = 500;

  Result<void> before_call(Outgoing& call);
  void after_call(Outgoing& call, const Result<Payload>& outcome);
  Result<void> before_handler(Incoming& call);
  void after_handler(Incoming& call, const Result<Payload>& outcome);
  std::uint32_t peer_of(const Outgoing& call);
  std::uint32_t target_name(const Outgoing& call);
  std::uint32_t method_name(const Incoming& call);

  observe::Tracer& tracer_;
  const Loop& loop_;
  const std::string agent_;
  const bool keeps_house_;                        // what is asked of it begins no trace
  std::vector<std::uint32_t> targets_, methods_;  // names, by the numbers that calls have; 0: not known yet
  std::array<KnownPeer, kPeersKnown> peers_{};
  std::array<std::uint32_t, policy::kWhyChosenCount> why_chosen_{};  // names, by WhyChosen
};

}  // namespace weft::peer
