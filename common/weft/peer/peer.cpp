#include "weft/calls/caller.hpp"
#include "weft/calls/dispatcher.hpp"
#include "weft/events/publications.hpp"
#include "weft/events/subscriptions.hpp"
#include "weft/peer/local_sockets.hpp"
#include "weft/peer/spans.hpp"
#include "weft/peer/tracing.hpp"
#include "weft/wire/inspect.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include "weft/peer/peer.hpp"

namespace weft::peer {
namespace {

net::Limits net_limits(const Limits& limits) {
  net::Limits out;
  out.wire.payload_max = limits.payload_max;
  out.socket_messages_max = limits.socket_messages_max;
  out.queue_bytes_max = limits.queue_bytes_max;
  return out;
}

std::string tcp(const std::string& address, std::uint16_t port) {
  return "tcp://" + address + ":" + (port == 0 ? "*" : std::to_string(port));
}

}  // namespace

struct Peer::Impl {
  Impl(Loop& l, net::Context& context, PeerOptions o, observe::Metrics& m, observe::Log& g)
      : loop(l),
        options(std::move(o)),
        metrics(m),
        sockets(context),
        security(context.security()),
        caller(l, context, options.instance, net_limits(options.limits), options.limits.pending_max, traffic, m,
               interceptors),
        server(l, context, net_limits(options.limits), traffic,
               [this](const net::Connection& from, const wire::EnvelopeView& envelope) {
                 dispatcher.take(from, envelope);
               }),
        dispatcher(l, options, net_limits(options.limits), options.limits.in_flight_max, m, g, interceptors, server,
                   options.tracer),
        publications(l, context, options, net_limits(options.limits), traffic, m, g),
        subscriptions(l, context, options.instance, net_limits(options.limits), traffic, m, g, options.tracer) {
    dispatcher.set_policies(options.policies);
    server.on_gone([this](const net::Connection& gone) { dispatcher.connection_gone(gone); });
    if (options.tracer) trace_calls(*options.tracer);
    metrics.on_collect([this, alive = std::weak_ptr<int>(life)] {
      if (alive.lock()) collect();
    });
    context.on_connection_refused(
        [&log = g, alive = std::weak_ptr<int>(life)](std::string_view reason, const std::string& address) {
          if (alive.lock()) log.warn("a connection was closed", {{"reason", reason}, {"address", address}});
        });
    if (!security) return;
    security->on_refused([&log = g, alive = std::weak_ptr<int>(life)](const net::Security::Refusal& refusal) {
      if (!alive.lock()) return;
      log.warn("a connection was refused", {{"reason", refusal.reason},
                                            {"address", refusal.address},
                                            {"public_key", refusal.public_key},
                                            {"code", codes::unknown_key.id}});
    });
  }

  void trace_calls(observe::Tracer& tracer) {
    tracing.emplace(tracer, loop, options.agent);
    interceptors.add(tracing->interceptor());
    tracer.set_instance(options.instance.to_string());
    dispatcher.serve({"_spans", "the spans it still has of a trace or message, for weft trace", "call"},
                     [this, &tracer](Call& call) -> Task<Result<Payload>> {
                       auto request = call.payload().as<SpansRequest>();
                       if (!request) co_return request.error();
                       auto reply = spans_of(tracer, loop.clock(), *request);
                       if (!reply) co_return reply.error();
                       reply->agent = options.agent;
                       reply->host = options.host;
                       reply->instance = options.instance.to_string();
                       co_return Payload::of(*reply);
                     });
  }

  Result<bool> publish_traced(std::string_view topic, Payload payload, PublishOptions how) {
    observe::Span span = tracing->publication(topic, how.trace);
    how.trace = span.context;
    auto outcome = publications.publish(topic, std::move(payload), how);
    tracing->published(span, outcome);
    return outcome;
  }

  void serve_built_in(const char* name, const char* summary, std::function<Payload()> make) {
    MethodInfo info;
    info.name = name;
    info.summary = summary;
    info.kind = wire::kBuiltIn;
    dispatcher.serve(std::move(info), [make = std::move(make)](Call&) -> Task<Result<Payload>> { co_return make(); });
  }
  template <class Reply>
  Reply signed_by_me() const {
    Reply reply;
    reply.agent = options.agent;
    reply.host = options.host;
    reply.instance = options.instance.to_string();
    return reply;
  }
  void serve_built_ins() {
    serve_built_in("_ping", "who is there, for weft ping", [this] {
      auto reply = signed_by_me<wire::PingReply>();
      reply.version = options.version;
      reply.pid = static_cast<int>(::getpid());
      reply.up_us = to_us(loop.clock().wall()) - started_us;
      reply.draining = dispatcher.draining();
      return Payload::of(reply);
    });
    serve_built_in("_stats", "sums and what is going on, for weft top", [this] {
      auto reply = signed_by_me<wire::StatsReply>();
      dispatcher.describe(reply);
      caller.describe(reply);
      reply.sent = traffic.sent;
      reply.received = traffic.received;
      reply.dropped = traffic.dropped_malformed + traffic.dropped_queue_full + traffic.dropped_unroutable;
      return Payload::of(reply);
    });
    serve_built_in("_waits", "who waits for whom, for weft why", [this] {
      auto reply = signed_by_me<wire::WaitsReply>();
      reply.handled = dispatcher.handled();
      reply.waiting = caller.waiting();
      return Payload::of(reply);
    });
  }

  void collect() {
    auto set = [this](std::string_view name, std::string_view help, const observe::Labels& labels,
                      std::uint64_t value) {
      auto& counter = metrics.counter(name, help, labels);
      counter.add(value - counter.value());
    };
    constexpr std::string_view kDropped = "weft_messages_dropped_total",
                               kDroppedHelp = "Messages lost, by class and reason";
    set("weft_messages_sent_total", "Envelopes handed to ZeroMQ", {{"class", "all"}}, traffic.sent);
    set("weft_messages_received_total", "Envelopes received", {{"class", "all"}}, traffic.received);
    set(kDropped, kDroppedHelp, {{"class", "all"}, {"reason", "malformed"}}, traffic.dropped_malformed);
    set(kDropped, kDroppedHelp, {{"class", "all"}, {"reason", "queue_full"}}, traffic.dropped_queue_full);
    metrics.gauge("weft_events_unexplained", "Events lost whose reason the publisher has not told yet")
        .set(static_cast<double>(subscriptions.unexplained()));
    set("weft_events_refused_total", "Frames that a subscriber lost first of others, its queue being full", {},
        publications.publisher().refused());
    set(kDropped, kDroppedHelp, {{"class", "reply"}, {"reason", "unroutable"}}, traffic.dropped_unroutable);
    set(kDropped, kDroppedHelp, {{"class", "event"}, {"reason", "foreign_sender"}}, traffic.dropped_foreign);
    constexpr std::string_view kRefused = "weft_connections_refused_total",
                               kRefusedHelp = "Connections of clients that were refused, by reason";
    set(kRefused, kRefusedHelp, {{"reason", "no_files"}}, sockets.refused_connections().no_files);
    set(kRefused, kRefusedHelp, {{"reason", "subscriptions"}}, sockets.refused_connections().subscriptions);
    if (!security) return;
    const auto& refused = security->refused();
    set(kRefused, kRefusedHelp, {{"reason", "unknown_key"}}, refused.unknown_key);
    set(kRefused, kRefusedHelp, {{"reason", "not_encrypted"}}, refused.not_encrypted);
    set(kRefused, kRefusedHelp, {{"reason", "wrong_server_key"}}, refused.wrong_server_key);
  }

  void record_changed() {
    if (changed) changed();
  }

  Result<void> bind_local(const char* suffix, std::string& endpoint,
                          const std::function<Result<std::string>(const std::string&)>& bind) {
    if (options.run_directory.empty()) return {};
    std::error_code ignored;
    std::filesystem::create_directories(options.run_directory, ignored);
    std::filesystem::permissions(options.run_directory, std::filesystem::perms::owner_all, ignored);
    const std::string path = options.run_directory + "/" + options.instance.to_string() + suffix;
    if (path.size() > 107) return {};  // sockaddr_un: peers use tcp
    auto bound = bind("ipc://" + path);
    if (!bound) return bound.error();
    endpoint = *bound;
    return {};
  }

  Loop& loop;
  PeerOptions options;
  observe::Metrics& metrics;
  const net::Context& sockets;
  net::Security* security;  // null: nothing is encrypted
  net::Traffic traffic;
  calls::Interceptors interceptors;
  std::optional<Tracing> tracing;
  Caller caller;
  net::Server server;
  calls::Dispatcher dispatcher;
  events::Publications publications;
  events::Subscriptions subscriptions;
  std::string call_endpoint, call_local, publish_endpoint, publish_local;
  std::int64_t started_us = 0;
  std::function<void()> changed;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Peer::Peer(Loop& loop, net::Context& context, PeerOptions options, observe::Metrics& metrics, observe::Log& log)
    : impl_(std::make_unique<Impl>(loop, context, std::move(options), metrics, log)) {
  impl_->started_us = to_us(loop.clock().wall());
  impl_->serve_built_ins();
}

Peer::~Peer() {
  for (const auto* endpoint : {&impl_->call_local, &impl_->publish_local}) {
    if (endpoint->starts_with("ipc://")) ::unlink(endpoint->c_str() + 6);
  }
}

Result<void> Peer::bind() {
  auto& i = *impl_;
  auto calls = i.server.bind(tcp(i.options.address, i.options.call_port));
  if (!calls) return calls.error();
  i.call_endpoint = *calls;
  auto events = i.publications.publisher().bind(tcp(i.options.address, i.options.publish_port));
  if (!events) return events.error();
  i.publish_endpoint = *events;
  if (!i.options.run_directory.empty()) remove_dead_sockets(i.options.run_directory);
  if (auto done = i.bind_local(".c", i.call_local, [&](const std::string& e) { return i.server.bind(e); }); !done)
    return done;
  return i.bind_local(".p", i.publish_local, [&](const std::string& e) { return i.publications.publisher().bind(e); });
}

InstanceRecord Peer::record() const {
  const auto& i = *impl_;
  InstanceRecord record;
  record.mesh = i.options.mesh;
  record.host = i.options.host;
  record.agent = i.options.agent;
  record.version = i.options.version;
  record.slot = i.options.slot;
  record.claim = i.options.claim;
  record.instance = i.options.instance;
  record.call_endpoint = i.call_endpoint;
  record.call_local = i.call_local;
  record.publish_endpoint = i.publish_endpoint;
  record.publish_local = i.publish_local;
  record.pid = static_cast<int>(::getpid());
  record.methods = i.dispatcher.methods();
  record.topics = i.publications.topics();
  record.started_us = i.started_us;
  if (i.security) record.public_key = i.security->public_key();
  return record;
}

const PeerOptions& Peer::options() const noexcept { return impl_->options; }
void Peer::set_policies(std::shared_ptr<const policy::Policies> policies) {
  impl_->dispatcher.set_policies(std::move(policies));
}

void Peer::set_epoch(std::uint64_t epoch) noexcept {
  impl_->caller.set_epoch(epoch);
  impl_->dispatcher.set_epoch(epoch);
  impl_->publications.set_epoch(epoch);
}

void Peer::serve(MethodInfo method, Handler handler) {
  impl_->dispatcher.serve(std::move(method), std::move(handler));
  impl_->record_changed();
}

void Peer::serve_stream(MethodInfo method, StreamHandler handler) {
  impl_->dispatcher.serve_stream(std::move(method), std::move(handler));
  impl_->record_changed();
}

Result<Stream> Peer::open_stream_at(const std::string& endpoint, std::string method, Payload payload,
                                    StreamOptions options) {
  auto core = impl_->caller.open(impl_->caller.destination(endpoint), nullptr, std::move(method), std::move(payload),
                                 std::move(options));
  if (!core) return core.error();
  return Stream(std::move(*core));
}

Result<void> Peer::publishes(std::string pattern, const Retention& retention) {
  auto fresh = impl_->publications.announce(std::move(pattern), retention);
  if (!fresh) return fresh.error();
  if (*fresh) impl_->record_changed();
  return {};
}

Result<void> Peer::publish(std::string_view topic, Payload payload, const PublishOptions& options) {
  const bool traced = impl_->tracing && options.trace.sampled();
  auto fresh = traced ? impl_->publish_traced(topic, std::move(payload), options)
                      : impl_->publications.publish(topic, std::move(payload), options);
  if (!fresh) return fresh.error();
  if (*fresh) impl_->record_changed();
  return {};
}

void Peer::on_record_changed(std::function<void()> changed) { impl_->changed = std::move(changed); }

Task<Result<Payload>> Peer::call_at(std::string endpoint, std::string method, Payload payload, CallOptions options) {
  return impl_->caller.call(std::move(endpoint), std::move(method), std::move(payload), std::move(options));
}

void Peer::intercept(Interceptor interceptor) { impl_->interceptors.add(std::move(interceptor)); }
Caller& Peer::caller() noexcept { return impl_->caller; }

void Peer::drop_peer(const std::string& endpoint, std::string_view why) { impl_->caller.drop(endpoint, why); }
std::size_t Peer::in_flight_to(const std::string& endpoint) const noexcept {
  return impl_->caller.in_flight_to(endpoint);
}

Subscription Peer::subscribe(const TopicPattern& pattern, EventHandler handler, const SubscribeOptions& options) {
  return impl_->subscriptions.subscribe(pattern, std::move(handler), options);
}
void Peer::connect_publisher(const std::string& endpoint, std::uint64_t sender) {
  impl_->subscriptions.connect(endpoint, sender);
}
void Peer::same_process(const std::string& endpoint, const std::string& known) {
  if (!impl_->security) return;
  if (auto key = impl_->security->key_of(known)) impl_->security->learn(endpoint, *key);
}
void Peer::disconnect_publisher(const std::string& endpoint, std::uint64_t sender) {
  impl_->subscriptions.disconnect(endpoint, sender);
}
void Peer::dropped(const Event& event, Drop reason) {
  impl_->subscriptions.dropped(event.sender, event.topic, event.sequence, reason);
}
void Peer::dropped(std::uint64_t sender, std::string_view topic, std::uint64_t sequence, Drop reason) {
  impl_->subscriptions.dropped(sender, topic, sequence, reason);
}
void Peer::admit_events(std::function<bool(const Event&)> admits) { impl_->subscriptions.admit(std::move(admits)); }
void Peer::name_senders(std::function<std::string(std::uint64_t)> name) {
  impl_->subscriptions.name_senders(std::move(name));
}

LedgerReply Peer::ledger(const LedgerRequest& request) {
  if (request.tell) impl_->publications.tell_all();
  const std::size_t limit = std::min(request.limit, LedgerRequest::limit_max);
  LedgerReply reply;
  reply.agent = impl_->options.agent;
  reply.host = impl_->options.host;
  reply.instance = impl_->options.instance;
  reply.published = impl_->publications.report(limit);
  reply.heard = impl_->subscriptions.report(limit);
  reply.complete = reply.published.size() < limit && reply.heard.size() < limit;
  return reply;
}

bool Peer::wanted(std::string_view topic) const noexcept { return impl_->publications.publisher().wanted(topic); }
void Peer::on_handler_failed(std::function<void(std::string_view, const ThrownFacts&)> failed) {
  impl_->dispatcher.on_failed(std::move(failed));
}
void Peer::start_draining() noexcept { impl_->dispatcher.start_draining(); }
std::size_t Peer::in_flight() const noexcept { return impl_->dispatcher.in_flight(); }

void Peer::flush() {
  impl_->caller.flush();
  impl_->server.flush();
  impl_->publications.tell_all();  // the end may be near, and then nobody tells of a lost one
  impl_->publications.publisher().flush();
}

}  // namespace weft::peer
