// Dispatcher: the incoming half of calling: finds the handler of a request, runs it, answers. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "weft/calls/dedup.hpp"
#include "weft/calls/interceptor.hpp"
#include "weft/calls/stream_core.hpp"
#include "weft/net/net.hpp"
#include "weft/observe/observe.hpp"
#include "weft/policy/policy.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::observe {
class Tracer;
}

namespace weft::calls {

using policy::Policies;
using wire::HandledCall;
using wire::StatsReply;

class Dispatcher {
 public:
  using Failed = std::function<void(std::string_view method, const ThrownFacts& thrown)>;

  /// Borrows all but the limits. `server` sends the answers; it may be made after this. At most `in_flight_max` calls
  /// are handled at a time. Without a `tracer` no spans are kept of calls that no handler got.
  Dispatcher(Loop& loop, const Identity& identity, net::Limits limits, std::size_t in_flight_max,
             observe::Metrics& metrics, observe::Log& log, Interceptors& interceptors, net::Server& server,
             observe::Tracer* tracer);
  ~Dispatcher();

  void serve(MethodInfo method, Handler handler);
  void serve_stream(MethodInfo method, StreamHandler handler);
  std::vector<MethodInfo> methods() const;
  void take(const net::Connection& from, const wire::EnvelopeView& envelope);
  /// The process at the other end is gone: its calls are cancelled.
  void connection_gone(const net::Connection& from);
  /// How long answers are kept by idempotency key, for methods that were not called with one yet. Null: the defaults.
  void set_policies(std::shared_ptr<const Policies> policies) { policies_ = std::move(policies); }
  void on_failed(Failed failed) { failed_ = std::move(failed); }
  void start_draining() noexcept {
    draining_ = true;
    refused_ = loop_.now();
  }
  /// Calls being handled; while draining also who was just refused: there may be more of them on their way, and whoever
  /// is refused can go elsewhere, but a connection that is lost leaves a caller in doubt.
  std::size_t in_flight() const noexcept { return in_flight_ + (draining_ && loop_.now() - refused_ < kQuiet ? 1 : 0); }
  bool draining() const noexcept { return draining_; }
  /// Fills in what is about requests.
  void describe(StatsReply& stats) const;
  std::vector<HandledCall> handled() const;
  void set_epoch(std::uint64_t epoch) noexcept { epoch_ = static_cast<std::uint32_t>(epoch); }

 private:
  struct Method {
    MethodInfo info;
    std::string full_name;  // "agent.method"
    Handler handler;
    StreamHandler stream_handler;  // or this
    std::uint32_t id;
    observe::Counter* ok;
    observe::Histogram* duration;
    std::unique_ptr<DedupWindow> window{};     // made by the first call with an idempotency key
    observe::Counter* deduplicated = nullptr;  // as is this
  };
  struct Active;
  class CalleeStream;
  struct Table;  // of what is being handled, by connection and id

  Method& add(MethodInfo method);
  Result<Method*> find(std::string_view name) const;
  void take_request(const net::Connection& from, const wire::EnvelopeView& envelope);
  Result<void> fill(Active& active, const wire::EnvelopeView& envelope, wire::Extension extension, Duration queued);
  Result<void> check_chain(const Call& call) const;
  void record_unhandled(const wire::EnvelopeView& envelope, std::string_view code, std::string_view note);
  void refuse(const net::Connection& from, const wire::EnvelopeView& envelope, const Error& error);
  struct Running;
  Running run(Active& active);
  Task<Result<Payload>> handle(Active& active);
  Task<Result<Payload>> handle_stream(Active& active);
  void cancel_call(Active& active, const char* why);
  Error threw(const Method& method, const Call& call);
  /// One effect for all calls with the same idempotency key.
  Task<Result<Payload>> once(Method& method, Call& call);
  void make_window(Method& method);
  void finish(Active& active, Result<Payload> outcome);
  void answer(const net::Connection& to, std::uint64_t id, const TraceContext& trace, Result<Payload> outcome);
  void count(const Incoming& call, const Result<Payload>& outcome);
  Active* make_active();
  void free_active(Active& active) noexcept;

  Loop& loop_;
  const Identity& identity_;
  const net::Limits limits_;
  const std::size_t in_flight_max_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  Interceptors& interceptors_;
  net::Server& server_;
  observe::Tracer* const tracer_;
  std::shared_ptr<const Policies> policies_;  // null: the built-in defaults
  Failed failed_;
  std::unordered_map<std::string_view, std::unique_ptr<Method>> methods_;  // by full name
  std::vector<Method*> by_id_;
  std::unique_ptr<Table> table_;
  std::size_t in_flight_ = 0;
  std::vector<std::unique_ptr<Active>> free_;
  observe::Gauge& in_flight_gauge_;
  observe::Counter& expired_;
  const std::uint64_t sender_;
  std::uint32_t epoch_ = 0;
  std::uint64_t ended_ = 0, failures_ = 0;
  static constexpr Duration kQuiet = 200ms;
  bool draining_ = false;
  TimePoint refused_{};  // when somebody was, or draining began
};

}  // namespace weft::calls
