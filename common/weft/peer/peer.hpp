// Peer: one process's sockets. Knows addresses only; Mesh adds names. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/calls/call.hpp"
#include "weft/calls/interceptor.hpp"
#include "weft/calls/stream.hpp"
#include "weft/events/event.hpp"
#include "weft/events/subscription.hpp"
#include "weft/peer/options.hpp"
#include "weft/peer/serve.hpp"
#include "weft/wire/ledger_reply.hpp"
#include "weft/wire/record.hpp"

namespace weft::net {
class Context;
}
namespace weft::observe {
class Log;
class Metrics;
}  // namespace weft::observe

namespace weft::calls {
class Caller;
}

namespace weft::peer {

using calls::Call;
using calls::Caller;
using calls::CallOptions;
using calls::Handler;
using calls::Interceptor;
using calls::Stream;
using calls::StreamHandler;
using calls::StreamOptions;
using events::Drop;
using events::Event;
using events::EventHandler;
using events::PublishOptions;
using events::Retention;
using events::SubscribeOptions;
using events::Subscription;
using wire::InstanceRecord;
using wire::LedgerReply;
using wire::LedgerRequest;
using wire::MethodInfo;
using wire::Payload;

/// Borrows all that its constructor takes.
class Peer {
 public:
  Peer(Loop& loop, net::Context& context, PeerOptions options, observe::Metrics& metrics, observe::Log& log);
  ~Peer();

  /// Binds the socket for calls and the one for publications. Errors: `port_taken` (says which port), `bad_address`.
  Result<void> bind();
  /// What others need to know of this process: endpoints, methods, topics; epoch and registry are left out.
  InstanceRecord record() const;
  const PeerOptions& options() const noexcept;
  /// Those by which answers are kept for idempotency keys, for methods that were not called with one yet.
  void set_policies(std::shared_ptr<const policy::Policies> policies);
  void set_epoch(std::uint64_t epoch) noexcept;

  /// Serves `<agent>.<method>`; `agent` is options.agent. A method served twice is a bug and throws.
  void serve(MethodInfo method, Handler handler);
  /// Serves `<agent>.<method>` as a stream.
  void serve_stream(MethodInfo method, StreamHandler handler);
  /// Announces a topic or pattern that will be published. Errors: `bad_topic`.
  Result<void> publishes(std::string pattern, const Retention& retention = {});
  /// At most once to each subscriber that is connected now. Announces the topic when it is new. Errors: `bad_topic`,
  /// `too_large`.
  Result<void> publish(std::string_view topic, Payload payload, const PublishOptions& options = {});
  /// True when a subscriber that takes `topic` is connected.
  bool wanted(std::string_view topic) const noexcept;
  /// Called when serve(), publishes() or publish() changed what record() says.
  void on_record_changed(std::function<void()> changed);

  /// Calls the process at `endpoint`. Errors: what the handler answered; `deadline_exceeded`, `peer_gone` (after
  /// drop_peer()), `queue_full`, `too_large`.
  Task<Result<Payload>> call_at(std::string endpoint, std::string method, Payload payload, CallOptions options = {});
  /// Opens a stream to the process at `endpoint`; `payload` is its request. Errors: as call_at(), of what is known at
  /// once.
  Result<Stream> open_stream_at(const std::string& endpoint, std::string method, Payload payload,
                                StreamOptions options);
  /// Adds to the chain that every call passes, out and in; see interceptor.hpp. While the process is set up.
  void intercept(Interceptor interceptor);
  /// Fails the calls that wait for `endpoint` and closes its link: its process is known to be gone.
  void drop_peer(const std::string& endpoint, std::string_view why);
  std::size_t in_flight_to(const std::string& endpoint) const noexcept;

  /// Events that match, of every publisher connected.
  Subscription subscribe(const TopicPattern& pattern, EventHandler handler, const SubscribeOptions& options = {});
  /// Counted: disconnect as often. `sender` is the Ulid::short_id() of the instance there, where it is known: events
  /// with that number from elsewhere are dropped and counted.
  void connect_publisher(const std::string& endpoint, std::uint64_t sender = 0);
  /// Where connections are encrypted: what is at `endpoint` is the same process as at `known`, and has its key.
  void same_process(const std::string& endpoint, const std::string& known);
  void disconnect_publisher(const std::string& endpoint, std::uint64_t sender = 0);
  /// A handler says that it could not take an event: it counts as dropped, not received. In the handler, or later on
  /// the loop; of several handlers of one event the first that says so later counts.
  void dropped(const Event& event, Drop reason);
  void dropped(std::uint64_t sender, std::string_view topic, std::uint64_t sequence, Drop reason);
  /// Asked before handlers are: false drops the event as `denied`.
  void admit_events(std::function<bool(const Event&)> admits);
  /// How senders are called in metrics and in the ledger: "agent@host", or "" when unknown.
  void name_senders(std::function<std::string(std::uint64_t sender)> name);
  /// What was published here and what became of what others published. With `tell`, subscribers are told where each
  /// topic stands, so that they know of a lost end.
  LedgerReply ledger(const LedgerRequest& request);

  /// Called when a handler threw; the caller was answered `handler_failed`.
  void on_handler_failed(std::function<void(std::string_view method, const ThrownFacts& thrown)> failed);
  /// Answers new calls with `draining` from now on.
  void start_draining() noexcept;
  std::size_t in_flight() const noexcept;  ///< calls being handled
  /// Sends what is queued; call before the process ends.
  void flush();
  Caller& caller() noexcept;  ///< calls by destination; see calls/caller.hpp

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::peer
