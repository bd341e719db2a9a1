// Caller: the outgoing half of calling: destinations, and the calls that wait for their answers. Loop-bound.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "weft/base/lifetime.hpp"
#include "weft/calls/deadlines.hpp"
#include "weft/calls/interceptor.hpp"
#include "weft/calls/stream_core.hpp"
#include "weft/net/net.hpp"
#include "weft/observe/observe.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::calls {

using wire::StatsReply;
using wire::WaitingCall;

class PendingCall;

/// One process that is called. Outlives its link, which is closed when idle and opened again by the next call.
struct Destination : std::enable_shared_from_this<Destination> {
  explicit Destination(std::string to) : endpoint(std::move(to)) {}
  const std::string endpoint;
  std::unique_ptr<net::Link> link;
  std::size_t in_flight = 0;
  TimePoint last_used;
  TimePoint last_heard{};  ///< when anything came from it
};

class Caller {
 public:
  static constexpr std::uint32_t kTargetsMax = 500;  ///< targets counted by name; more share the overflow series

  /// At most `pending_max` calls wait for their answers. `instance` is that of this process. Borrows the rest, but for
  /// the limits.
  Caller(Loop& loop, net::Context& context, const Ulid& instance, net::Limits limits, std::size_t pending_max,
         net::Traffic& traffic, observe::Metrics& metrics, Interceptors& interceptors);
  ~Caller();

  Task<Result<Payload>> call(std::string endpoint, std::string method, Payload payload, CallOptions options);
  std::shared_ptr<Destination> destination(const std::string& endpoint);
  void drop(const std::string& endpoint, std::string_view why);
  std::size_t in_flight_to(const std::string& endpoint) const noexcept;
  std::size_t pending() const noexcept { return pending_; }
  void set_epoch(std::uint64_t epoch) noexcept { epoch_ = static_cast<std::uint32_t>(epoch); }
  void flush();
  /// Fills in what is about calls.
  void describe(StatsReply& stats) const;
  std::vector<WaitingCall> waiting() const;
  Loop& loop() noexcept { return loop_; }
  /// Opens a stream; the chain sees its beginning and its end. Errors: as a call's.
  Result<std::shared_ptr<StreamCore>> open(std::shared_ptr<Destination> to,
                                           std::shared_ptr<const InstanceRecord> instance, std::string target,
                                           Payload payload, StreamOptions options);
  /// Small numbers for targets; those beyond the limit share the last one.
  std::uint32_t target_id(std::string_view target);

 private:
  friend class PendingCall;
  friend class Attempt;
  friend class CallerStream;
  /// What is touched for calls other than the one at hand lies together, apart from their frames.
  struct Slot : Deadlines::Entry {
    PendingCall* call = nullptr;
    std::uint32_t generation = 1;
    std::uint32_t next_free = 0;
    std::array<const void*, 2> frames{};  // of the coroutine that waits, and of the one that waits for that
  };
  static constexpr std::uint32_t kSlotsTogether = 256;
  struct Stats {
    std::string label;
    observe::Counter* ok = nullptr;
    observe::Histogram* duration = nullptr;
  };

  net::Link& link_of(Destination& to);
  Result<void> send_request(Destination& to, const Outgoing& call, Bytes& payload, std::uint32_t window);
  Slot& slot(std::uint64_t id) const noexcept {
    const auto at = static_cast<std::uint32_t>(id);
    return slots_[at / kSlotsTogether][at % kSlotsTogether];
  }
  template <class Visit>
  void each_waiting(Visit visit) const;
  std::uint64_t add(PendingCall& call);
  void remove(PendingCall& call) noexcept;
  PendingCall* find(std::uint64_t id) noexcept;
  void prefetch(std::uint64_t id) const noexcept;
  void take(const wire::EnvelopeView& envelope);
  void fail_all(Destination& to, const Error& error);
  void tell_cancelled(Destination& to, std::uint64_t id) noexcept;
  void arm(TimePoint when);
  void ring();
  void close_idle();
  void count(const Outgoing& call, const Result<Payload>& outcome);

  Loop& loop_;
  net::Context& context_;
  net::Limits limits_;
  const std::size_t pending_max_;
  net::Traffic& traffic_;
  observe::Metrics& metrics_;
  Interceptors& interceptors_;
  observe::Counter& late_;
  const std::uint64_t sender_;
  std::uint32_t epoch_ = 0;
  std::uint64_t ended_ = 0, failed_ = 0;        // calls
  std::vector<std::unique_ptr<Slot[]>> slots_;  // by the low half of the id; the first is not used
  std::uint32_t slots_made_ = 1, free_ = 0;
  std::size_t pending_ = 0;
  Deadlines deadlines_;
  Timer alarm_;
  TimePoint alarm_at_ = TimePoint::max();
  Bytes extension_;  // scratch
  std::map<std::string, std::shared_ptr<Destination>, std::less<>> destinations_;
  std::unordered_map<std::string_view, std::uint32_t> target_ids_;
  std::vector<std::unique_ptr<Stats>> targets_;  // by target id
  Timer idle_;
  Lifetime lifetime_;
};

}  // namespace weft::calls
