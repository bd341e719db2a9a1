// Interceptors: what looks at every call on its way out and in. Tracing, metrics, retries, circuit breakers and
// authorisation are such; an agent may add its own. Plain functions in one chain.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weft/calls/call.hpp"
#include "weft/observe/span.hpp"
#include "weft/wire/record.hpp"

namespace weft::policy {
enum class WhyChosen : std::uint8_t;  // in policy/balancer.hpp
}

namespace weft::calls {

using policy::WhyChosen;
using wire::InstanceRecord;
using wire::MethodInfo;

/// One attempt of a call, at its caller. Borrowed during the interceptor's call.
struct Outgoing {
  std::string_view target;                   ///< "agent.method"
  std::uint32_t target_id;                   ///< small number of the target in this process, from 0, kept for its life
  std::string_view endpoint;                 ///< of the process called; empty while nobody was found
  const InstanceRecord* instance = nullptr;  ///< null for a call by endpoint, and when nobody was found
  const CallOptions& options;
  wire::Header& header;           ///< before_call may change trace and priority
  unsigned attempt = 1;           ///< 2 for the first retry
  TimePoint begin, deadline;      ///< of this attempt; of the whole call (the latest TimePoint: none)
  TimePoint end{};                ///< for after_call
  observe::SpanId parent_span{};  ///< of the span under which header.trace makes one
  bool keep_payload = false;      ///< before_call sets it where after_call may ask for another attempt
  WhyChosen why_chosen{};         ///< for after_call: why this instance; `none` for a call by endpoint
  std::uint32_t candidates = 0;   ///< instances among which it was chosen; 0 for a call by endpoint
  /// after_call may set it: the call is made again after this time, when the deadline allows.
  std::optional<Duration> retry_after{};
};

/// One call, at its callee.
struct Incoming {
  Call& call;
  const MethodInfo& method;
  std::uint32_t method_id;  ///< small number of the method in this process, from 0
  Duration queued;          ///< how long it waited on its way, beyond the fastest ones of its connection
  TimePoint begin, end{};
  TraceContext& trace;  ///< what calls made on behalf of this one go on with; before_handler may change it
  observe::SpanId parent_span{};
};

/// Each may be empty. `before_…` run in the order in which they were added; the first error ends the call with it.
/// `after_…` run in reverse order, for those whose `before_…` ran. None may throw. On the loop.
struct Interceptor {
  std::string name;
  UniqueFunction<Result<void>(Outgoing&)> before_call{};
  UniqueFunction<void(Outgoing&, const Result<Payload>&)> after_call{};
  UniqueFunction<Result<void>(Incoming&)> before_handler{};
  UniqueFunction<void(Incoming&, const Result<Payload>&)> after_handler{};
};

/// The chain of a process. Interceptors are added while it is set up, and stay.
class Interceptors {
 public:
  void add(Interceptor interceptor);
  std::vector<std::string_view> names() const;

  /// `ran` is set to how many are to see the end.
  Result<void> before(Outgoing& call, std::size_t& ran) { return before_calls_.run(call, ran, names_.size()); }
  void after(Outgoing& call, const Result<Payload>& outcome, std::size_t ran) { after_calls_.run(call, outcome, ran); }
  Result<void> before(Incoming& call, std::size_t& ran) { return before_handlers_.run(call, ran, names_.size()); }
  void after(Incoming& call, const Result<Payload>& outcome, std::size_t ran) {
    after_handlers_.run(call, outcome, ran);
  }

 private:
  /// The functions of one kind, each with the number of its interceptor.
  template <class Function>
  struct Hooks {
    std::vector<std::pair<std::size_t, Function>> all;

    void add(std::size_t number, Function function) {
      if (function) all.emplace_back(number, std::move(function));
    }
    template <class T>
    Result<void> run(T& call, std::size_t& ran, std::size_t count) {
      for (auto& [number, function] : all) {
        if (auto fine = function(call); !fine) {
          ran = number;
          return fine;
        }
      }
      ran = count;
      return {};
    }
    template <class T>
    void run(T& call, const Result<Payload>& outcome, std::size_t ran) {
      for (auto at = all.rbegin(); at != all.rend(); ++at) {
        if (at->first < ran) at->second(call, outcome);
      }
    }
  };
  std::vector<std::string> names_;
  Hooks<decltype(Interceptor::before_call)> before_calls_;
  Hooks<decltype(Interceptor::after_call)> after_calls_;
  Hooks<decltype(Interceptor::before_handler)> before_handlers_;
  Hooks<decltype(Interceptor::after_handler)> after_handlers_;
};

}  // namespace weft::calls
