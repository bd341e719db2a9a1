// The door of mesh: how a process takes part. Peer is one process's sockets and knows addresses only; Mesh adds the
// registry: names instead of addresses, a live copy of who is there, error reports. Everything here is loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/config/config.hpp"
#include "weft/mesh/account.hpp"
#include "weft/mesh/gather.hpp"
#include "weft/mesh/interceptor.hpp"
#include "weft/mesh/message.hpp"
#include "weft/mesh/record.hpp"
#include "weft/mesh/stream.hpp"
#include "weft/observe/observe.hpp"

namespace weft::net {
class Context;
}
namespace weft::observe {
class Tracer;
}

namespace weft::mesh {

class Calls;

class Policies;

struct Limits {
  std::size_t payload_max = 16 * 1024 * 1024;      ///< bytes of one payload
  std::size_t in_flight_max = 10'000;              ///< calls being handled; more are answered `queue_full`
  std::size_t pending_max = 100'000;               ///< calls waiting for an answer; more fail with `queue_full`
  std::size_t queue_bytes_max = 64 * 1024 * 1024;  ///< waiting to be sent to one peer
  int socket_messages_max = 10'000;                ///< ZeroMQ high-water mark
};

struct PeerOptions {
  std::string mesh, host, agent, version, slot;
  std::uint64_t claim = 0;  ///< to the slot; see InstanceRecord
  Ulid instance;
  std::string address = "127.0.0.1";  ///< to bind, and to tell others
  std::uint16_t call_port = 0;        ///< 0: any
  std::uint16_t publish_port = 0;
  std::string run_directory;  ///< for ipc sockets; empty: none
  Limits limits;
  std::shared_ptr<const Policies> policies;  ///< of calls, made and answered; null: the built-in defaults
  observe::Tracer* tracer = nullptr;         ///< borrowed; null: calls make no spans here
};

/// Ends a subscription when it goes.
class Subscription {
 public:
  Subscription() = default;
  explicit Subscription(Callback end) : end_(std::move(end)) {}
  Subscription(Subscription&&) noexcept = default;
  Subscription& operator=(Subscription&& other) noexcept {
    if (this != &other) {
      close();
      end_ = std::exchange(other.end_, nullptr);
    }
    return *this;
  }
  ~Subscription() { close(); }
  void close() {
    if (auto end = std::exchange(end_, nullptr)) end();
  }

 private:
  Callback end_;
};

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
  void set_policies(std::shared_ptr<const Policies> policies);
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
  void connect_publisher(const std::string& endpoint);
  /// Where connections are encrypted: what is at `endpoint` is the same process as at `known`, and has its key.
  void same_process(const std::string& endpoint, const std::string& known);
  void disconnect_publisher(const std::string& endpoint);
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
  void on_handler_failed(std::function<void(std::string_view method, const Error& error)> failed);
  /// Answers new calls with `draining` from now on.
  void start_draining() noexcept;
  std::size_t in_flight() const noexcept;  ///< calls being handled
  /// Sends what is queued; call before the process ends.
  void flush();
  Calls& calls() noexcept;  ///< for mesh itself

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The live copy of the registry's records. Pure. Lookups are by agent name.
class Directory {
 public:
  /// Called after each change: an instance is new or changed (`removed` null), or gone (`removed` says why).
  using Watcher = std::function<void(const InstanceRecord& record, const Removal* removed)>;

  /// Holds what `snapshot` holds. With `keep_missing`, records that it lacks stay: a registry that was just restarted
  /// may not know everybody yet.
  void replace(const Snapshot& snapshot, bool keep_missing = false);
  /// False when `changes` does not follow what is held: take a snapshot.
  bool apply(const Changes& changes);
  bool follows(const Ulid& term, std::uint64_t sequence) const noexcept {
    return term_ == term && sequence_ == sequence;
  }
  bool filled() const noexcept { return !term_.is_nil(); }
  std::vector<const InstanceRecord*> instances(std::string_view agent) const;  ///< borrowed until the next change
  const InstanceRecord* find(const Ulid& instance) const noexcept;
  std::vector<const InstanceRecord*> all() const;
  std::vector<std::string_view> agent_names() const;
  void watch(Watcher watcher) { watchers_.push_back(std::move(watcher)); }

 private:
  void upsert(const InstanceRecord& record);
  void remove(const Removal& removal);
  std::map<Ulid, InstanceRecord> records_;
  std::multimap<std::string, Ulid, std::less<>> by_agent_;
  std::vector<Watcher> watchers_;
  Ulid term_;
  std::uint64_t sequence_ = 0;
};

struct MeshOptions {
  PeerOptions peer;
  std::vector<std::string> registries;  ///< call endpoints, the own host's first
  std::string error_bus;                ///< call endpoint of the own host's bus; empty: found in the directory
  std::string spool_file;               ///< where unsent error events wait; empty: in memory only
  std::map<std::string, std::string> tags;
  std::string admin;  ///< address of the admin door, for the record
  std::string config_hash;
  bool join = true;           ///< false: only looks (command-line tools)
  bool report_errors = true;  ///< false for the bus itself
  /// This process holds a lock that makes the slot its own (a node): an instance that is registered in the slot instead
  /// is deregistered, and this process registers again.
  bool owns_slot = false;
};
/// From the sections mesh, host, registry, errorbus, limits, run, state of a checked configuration. `slot` is filled as
/// "<agent>@<host>" unless the environment (WEFT_SLOT) says otherwise, its claim by WEFT_CLAIM.
MeshOptions options_from(const config::Config& config, const std::string& agent, const std::string& version);
/// Of its section mesh.policies. Throws std::logic_error for what the schema does not let pass.
std::shared_ptr<const Policies> policies_from(const config::Config& config);
/// `context`, whose connections are encrypted when section `security` says so. Before the first socket is made. Where
/// the section is wrong, every attempt to bind or connect fails with that: `bad_config`, `missing_secret`.
net::Context& secured(net::Context& context, Loop& loop, const config::Config& config);

class Mesh final : public ErrorSink {
 public:
  Mesh(Loop& loop, net::Context& context, MeshOptions options, observe::Metrics& metrics, observe::Log& log,
       observe::Health& health);
  ~Mesh() override;

  /// Binds, and starts to register and to copy the registry's records; goes on trying for as long as no registry
  /// answers. Errors: those of Peer::bind().
  Result<void> start();
  /// Resolves when registered (joining) and the directory is filled. Errors: `no_registry` after `timeout`.
  Task<Result<void>> ready(Duration timeout);
  /// Called when another instance has taken this one's slot: once, and this process should end; with owns_slot each
  /// time, and it continues.
  void on_fenced(std::function<void()> fenced);
  /// Deregisters, lets running handlers finish, sends what is queued; at most `budget`.
  Task<void> drain(Duration budget);

  Peer& peer() noexcept;
  const Directory& directory() const noexcept;
  void watch(Directory::Watcher watcher);

  void serve(MethodInfo method, Handler handler) { peer().serve(std::move(method), std::move(handler)); }
  Result<void> publishes(std::string pattern, const Retention& retention = {}) {
    return peer().publishes(std::move(pattern), retention);
  }
  Result<void> publish(std::string_view topic, Payload payload, const PublishOptions& options = {}) {
    return peer().publish(topic, std::move(payload), options);
  }
  void serve_stream(MethodInfo method, StreamHandler handler) {
    peer().serve_stream(std::move(method), std::move(handler));
  }
  /// Subscribes at every publisher, now and later, that announces a topic the pattern can match. Errors: `bad_topic`.
  Result<Subscription> subscribe(std::string_view pattern, EventHandler handler, SubscribeOptions options = {});
  /// `target` is "agent.method". Errors: `no_responders` at once when no live instance is known, `bad_name`, those of
  /// Peer::call_at().
  ///
  /// Which instance, how often again, and when not at all: as the policy of the target says (docs/calls.md);
  /// `circuit_open` at once when the circuits of all its instances are open.
  Task<Result<Payload>> call(std::string target, Payload payload, CallOptions options = {});
  /// Opens a stream with one instance; `payload` is its request. Errors: `bad_name`, `no_responders`, those of a call
  /// that are known at once; what comes later is told by the stream.
  Result<Stream> open_stream(std::string target, Payload payload, StreamOptions options = {});
  /// Calls every live instance, or those named, each once. Errors: `no_responders`, `bad_name`; what went wrong at one
  /// of them is in its answer.
  Task<Result<Gathered>> call_all(std::string target, Payload payload, CallOptions options = {},
                                  GatherOptions gathering = {});
  /// The decision that a call would get now, by the same code, without making it: {target, policy: [{key, value,
  /// pattern, where}], instances: [{instance, host, chosen, breaker, round_trip_ms, reason, …}], refused}.
  Value explain_call(std::string_view target, const CallOptions& options = {});
  /// Of the calls made from now on, and of further attempts of those under way. How long answers are kept by
  /// idempotency key stays as it was for methods that were called with one.
  void set_policies(std::shared_ptr<const Policies> policies);
  void report(ErrorEvent event) noexcept override;
  void set_health(HealthState state, std::string text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::mesh
