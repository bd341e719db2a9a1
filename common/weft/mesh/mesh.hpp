// The door of mesh: how a process takes part. A Mesh has a Peer, its process's sockets, and adds the registry: names
// instead of addresses, a live copy of the records of all instances, error reports. Loop-bound.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weft/base/base.hpp"
#include "weft/mesh/directory.hpp"
#include "weft/mesh/gather.hpp"
#include "weft/mesh/names.hpp"
#include "weft/mesh/options.hpp"
#include "weft/observe/observe.hpp"
#include "weft/peer/peer.hpp"
#include "weft/wire/call_explanation.hpp"

namespace weft::net {
class Context;
}

namespace weft::mesh {

class Mesh final : public ErrorSink {
 public:
  Mesh(Loop& loop, net::Context& context, MeshOptions options, observe::Metrics& metrics, observe::Log& log,
       observe::Health& health);
  ~Mesh() override;

  /// Binds, and starts to register and to copy the registry's records; retries for as long as no registry
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
  /// that are known at once; later errors are reported by the stream.
  Result<Stream> open_stream(std::string target, Payload payload, StreamOptions options = {});
  /// Calls every live instance, or those named, each once. Errors: `no_responders`, `bad_name`; what went wrong at one
  /// of them is in its answer.
  Task<Result<Gathered>> call_all(std::string target, Payload payload, CallOptions options = {},
                                  GatherOptions gathering = {});
  /// The decision that a call would get now, by the same code, without making it.
  wire::CallExplanation explain_call(std::string_view target, const CallOptions& options = {});
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
