#include "weft/base/lifetime.hpp"
#include "weft/calls/caller.hpp"
#include "weft/calls/dispatcher.hpp"
#include "weft/events/publications.hpp"
#include "weft/events/subscriptions.hpp"
#include "weft/observe/shared_metrics.hpp"
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
  Impl(Loop& loop, net::Context& context, PeerOptions options, observe::Metrics& metrics, observe::Log& log)
      : loop_(loop),
        options_(std::move(options)),
        metrics_(metrics),
        sockets_(context),
        security_(context.security()),
        caller_(loop, context, options_.instance, net_limits(options_.limits), options_.limits.pending_max, traffic_,
                metrics, interceptors_),
        server_(loop, context, net_limits(options_.limits), traffic_,
                [this](const net::Connection& from, const wire::EnvelopeView& envelope) {
                  dispatcher_.take(from, envelope);
                }),
        dispatcher_(loop, options_, net_limits(options_.limits), options_.limits.in_flight_max, metrics, log,
                    interceptors_, server_, options_.tracer),
        publications_(loop, context, options_, net_limits(options_.limits), traffic_, metrics, log),
        subscriptions_(loop, context, options_.instance, net_limits(options_.limits), traffic_, metrics, log,
                       options_.tracer) {
    dispatcher_.set_policies(options_.policies);
    server_.on_gone([this](const net::Connection& gone) { dispatcher_.connection_gone(gone); });
    if (options_.tracer) trace_calls(*options_.tracer);
    metrics_.on_collect(lifetime_.guard([this] { collect(); }));
    context.on_connection_refused(lifetime_.guard([&log = log](std::string_view reason, const std::string& address) {
      log.warn("a connection was closed", {{"reason", reason}, {"address", address}});
    }));
    if (!security_) return;
    security_->on_refused(lifetime_.guard([&log = log](const net::Security::Refusal& refusal) {
      log.warn("a connection was refused", {{"reason", refusal.reason},
                                            {"address", refusal.address},
                                            {"public_key", refusal.public_key},
                                            {"code", codes::unknown_key.id}});
    }));
  }

  void trace_calls(observe::Tracer& tracer) {
    tracing_.emplace(tracer, loop_, options_.agent);
    interceptors_.add(tracing_->interceptor());
    tracer.set_instance(options_.instance.to_string());
    peer::serve<SpansRequest>(dispatcher_,
                              {"_spans", "the spans it still has of a trace or message, for weft trace", "call"},
                              [this, &tracer](const SpansRequest& request) {
                                auto reply = spans_of(tracer, loop_.clock(), request);
                                if (!reply) return reply;
                                reply->agent = options_.agent;
                                reply->host = options_.host;
                                reply->instance = options_.instance.to_string();
                                return reply;
                              });
  }

  Result<bool> publish_traced(std::string_view topic, Payload payload, PublishOptions how) {
    observe::Span span = tracing_->publication(topic, how.trace);
    how.trace = span.context;
    auto outcome = publications_.publish(topic, std::move(payload), how);
    tracing_->published(span, outcome);
    return outcome;
  }

  void serve_built_in(const char* name, const char* summary, std::function<Payload()> make) {
    MethodInfo info;
    info.name = name;
    info.summary = summary;
    info.kind = wire::kBuiltIn;
    dispatcher_.serve(std::move(info), [make = std::move(make)](Call&) -> Task<Result<Payload>> { co_return make(); });
  }
  template <class Reply>
  Reply signed_by_me() const {
    Reply reply;
    reply.agent = options_.agent;
    reply.host = options_.host;
    reply.instance = options_.instance.to_string();
    return reply;
  }
  void serve_built_ins() {
    serve_built_in("_ping", "who is there, for weft ping", [this] {
      auto reply = signed_by_me<wire::PingReply>();
      reply.version = options_.version;
      reply.pid = static_cast<int>(::getpid());
      reply.up_us = to_us(loop_.clock().wall()) - started_us_;
      reply.draining = dispatcher_.draining();
      return Payload::of(reply);
    });
    serve_built_in("_stats", "sums and what is going on, for weft top", [this] {
      auto reply = signed_by_me<wire::StatsReply>();
      dispatcher_.describe(reply);
      caller_.describe(reply);
      reply.sent = traffic_.sent;
      reply.received = traffic_.received;
      reply.dropped = traffic_.dropped_malformed + traffic_.dropped_queue_full + traffic_.dropped_unroutable;
      return Payload::of(reply);
    });
    serve_built_in("_waits", "who waits for whom, for weft why", [this] {
      auto reply = signed_by_me<wire::WaitsReply>();
      reply.handled = dispatcher_.handled();
      reply.waiting = caller_.waiting();
      return Payload::of(reply);
    });
  }

  void collect() {
    const auto raise = [](observe::Counter& counter, std::uint64_t value) { counter.add(value - counter.value()); };
    const auto set = [&](std::string_view name, std::string_view help, const observe::Labels& labels,
                         std::uint64_t value) { raise(metrics_.counter(name, help, labels), value); };
    const auto dropped = [&](const char* kind, const char* reason, std::uint64_t value) {
      raise(observe::dropped_messages(metrics_, {{"class", kind}, {"reason", reason}}), value);
    };
    set("weft_messages_sent_total", "Envelopes handed to ZeroMQ", {{"class", "all"}}, traffic_.sent);
    set("weft_messages_received_total", "Envelopes received", {{"class", "all"}}, traffic_.received);
    dropped("all", "malformed", traffic_.dropped_malformed);
    dropped("all", "queue_full", traffic_.dropped_queue_full);
    metrics_.gauge("weft_events_unexplained", "Events lost whose reason the publisher has not told yet")
        .set(static_cast<double>(subscriptions_.unexplained()));
    set("weft_events_refused_total", "Frames that a subscriber lost first of others, its queue being full", {},
        publications_.publisher().refused());
    dropped("reply", "unroutable", traffic_.dropped_unroutable);
    dropped("event", "foreign_sender", traffic_.dropped_foreign);
    constexpr std::string_view kRefused = "weft_connections_refused_total",
                               kRefusedHelp = "Connections of clients that were refused, by reason";
    set(kRefused, kRefusedHelp, {{"reason", "no_files"}}, sockets_.refused_connections().no_files);
    set(kRefused, kRefusedHelp, {{"reason", "subscriptions"}}, sockets_.refused_connections().subscriptions);
    if (!security_) return;
    const auto& refused = security_->refused();
    set(kRefused, kRefusedHelp, {{"reason", "unknown_key"}}, refused.unknown_key);
    set(kRefused, kRefusedHelp, {{"reason", "not_encrypted"}}, refused.not_encrypted);
    set(kRefused, kRefusedHelp, {{"reason", "wrong_server_key"}}, refused.wrong_server_key);
  }

  void record_changed() {
    if (changed_) changed_();
  }

  Result<void> bind_local(const char* suffix, std::string& endpoint,
                          const std::function<Result<std::string>(const std::string&)>& bind) {
    if (options_.run_directory.empty()) return {};
    std::error_code ignored;
    std::filesystem::create_directories(options_.run_directory, ignored);
    std::filesystem::permissions(options_.run_directory, std::filesystem::perms::owner_all, ignored);
    const std::string path = options_.run_directory + "/" + options_.instance.to_string() + suffix;
    if (path.size() > 107) return {};  // sockaddr_un: peers use tcp
    auto bound = bind("ipc://" + path);
    if (!bound) return bound.error();
    endpoint = *bound;
    return {};
  }

  Loop& loop_;
  PeerOptions options_;
  observe::Metrics& metrics_;
  const net::Context& sockets_;
  net::Security* security_;  // null: nothing is encrypted
  net::Traffic traffic_;
  calls::Interceptors interceptors_;
  std::optional<Tracing> tracing_;
  Caller caller_;
  net::Server server_;
  calls::Dispatcher dispatcher_;
  events::Publications publications_;
  events::Subscriptions subscriptions_;
  std::string call_endpoint_, call_local_, publish_endpoint_, publish_local_;
  std::int64_t started_us_ = 0;
  std::function<void()> changed_;
  Lifetime lifetime_;
};

Peer::Peer(Loop& loop, net::Context& context, PeerOptions options, observe::Metrics& metrics, observe::Log& log)
    : impl_(std::make_unique<Impl>(loop, context, std::move(options), metrics, log)) {
  impl_->started_us_ = to_us(loop.clock().wall());
  impl_->serve_built_ins();
}

Peer::~Peer() {
  for (const auto* endpoint : {&impl_->call_local_, &impl_->publish_local_}) {
    if (endpoint->starts_with("ipc://")) ::unlink(endpoint->c_str() + 6);
  }
}

Result<void> Peer::bind() {
  auto& i = *impl_;
  auto calls = i.server_.bind(tcp(i.options_.address, i.options_.call_port));
  if (!calls) return calls.error();
  i.call_endpoint_ = *calls;
  auto events = i.publications_.publisher().bind(tcp(i.options_.address, i.options_.publish_port));
  if (!events) return events.error();
  i.publish_endpoint_ = *events;
  if (!i.options_.run_directory.empty()) remove_dead_sockets(i.options_.run_directory);
  if (auto done = i.bind_local(".c", i.call_local_, [&](const std::string& e) { return i.server_.bind(e); }); !done)
    return done;
  return i.bind_local(".p", i.publish_local_,
                      [&](const std::string& e) { return i.publications_.publisher().bind(e); });
}

InstanceRecord Peer::record() const {
  const auto& i = *impl_;
  InstanceRecord record;
  record.mesh = i.options_.mesh;
  record.host = i.options_.host;
  record.agent = i.options_.agent;
  record.version = i.options_.version;
  record.slot = i.options_.slot;
  record.claim = i.options_.claim;
  record.instance = i.options_.instance;
  record.call_endpoint = i.call_endpoint_;
  record.call_local = i.call_local_;
  record.publish_endpoint = i.publish_endpoint_;
  record.publish_local = i.publish_local_;
  record.pid = static_cast<int>(::getpid());
  record.methods = i.dispatcher_.methods();
  record.topics = i.publications_.topics();
  record.started_us = i.started_us_;
  if (i.security_) record.public_key = i.security_->public_key();
  return record;
}

const PeerOptions& Peer::options() const noexcept { return impl_->options_; }
void Peer::set_policies(std::shared_ptr<const policy::Policies> policies) {
  impl_->dispatcher_.set_policies(std::move(policies));
}

void Peer::set_epoch(std::uint64_t epoch) noexcept {
  impl_->caller_.set_epoch(epoch);
  impl_->dispatcher_.set_epoch(epoch);
  impl_->publications_.set_epoch(epoch);
}

void Peer::serve(MethodInfo method, Handler handler) {
  impl_->dispatcher_.serve(std::move(method), std::move(handler));
  impl_->record_changed();
}

void Peer::serve_stream(MethodInfo method, StreamHandler handler) {
  impl_->dispatcher_.serve_stream(std::move(method), std::move(handler));
  impl_->record_changed();
}

Result<Stream> Peer::open_stream_at(const std::string& endpoint, std::string method, Payload payload,
                                    StreamOptions options) {
  auto core = impl_->caller_.open(impl_->caller_.destination(endpoint), nullptr, std::move(method), std::move(payload),
                                  std::move(options));
  if (!core) return core.error();
  return Stream(std::move(*core));
}

Result<void> Peer::publishes(std::string pattern, const Retention& retention) {
  auto fresh = impl_->publications_.announce(std::move(pattern), retention);
  if (!fresh) return fresh.error();
  if (*fresh) impl_->record_changed();
  return {};
}

Result<void> Peer::publish(std::string_view topic, Payload payload, const PublishOptions& options) {
  const bool traced = impl_->tracing_ && options.trace.sampled();
  auto fresh = traced ? impl_->publish_traced(topic, std::move(payload), options)
                      : impl_->publications_.publish(topic, std::move(payload), options);
  if (!fresh) return fresh.error();
  if (*fresh) impl_->record_changed();
  return {};
}

void Peer::on_record_changed(std::function<void()> changed) { impl_->changed_ = std::move(changed); }

Task<Result<Payload>> Peer::call_at(std::string endpoint, std::string method, Payload payload, CallOptions options) {
  return impl_->caller_.call(std::move(endpoint), std::move(method), std::move(payload), std::move(options));
}

void Peer::intercept(Interceptor interceptor) { impl_->interceptors_.add(std::move(interceptor)); }
Caller& Peer::caller() noexcept { return impl_->caller_; }

void Peer::drop_peer(const std::string& endpoint, std::string_view why) { impl_->caller_.drop(endpoint, why); }
std::size_t Peer::in_flight_to(const std::string& endpoint) const noexcept {
  return impl_->caller_.in_flight_to(endpoint);
}

Subscription Peer::subscribe(const TopicPattern& pattern, EventHandler handler, const SubscribeOptions& options) {
  return impl_->subscriptions_.subscribe(pattern, std::move(handler), options);
}
void Peer::connect_publisher(const std::string& endpoint, std::uint64_t sender) {
  impl_->subscriptions_.connect(endpoint, sender);
}
void Peer::same_process(const std::string& endpoint, const std::string& known) {
  if (!impl_->security_) return;
  if (auto key = impl_->security_->key_of(known)) impl_->security_->learn(endpoint, *key);
}
void Peer::disconnect_publisher(const std::string& endpoint, std::uint64_t sender) {
  impl_->subscriptions_.disconnect(endpoint, sender);
}
void Peer::dropped(const Event& event, Drop reason) {
  impl_->subscriptions_.dropped(event.sender, event.topic, event.sequence, reason);
}
void Peer::dropped(std::uint64_t sender, std::string_view topic, std::uint64_t sequence, Drop reason) {
  impl_->subscriptions_.dropped(sender, topic, sequence, reason);
}
void Peer::admit_events(std::function<bool(const Event&)> admits) { impl_->subscriptions_.admit(std::move(admits)); }
void Peer::name_senders(std::function<std::string(std::uint64_t)> name) {
  impl_->subscriptions_.name_senders(std::move(name));
}

LedgerReply Peer::ledger(const LedgerRequest& request) {
  if (request.tell) impl_->publications_.tell_all();
  const std::size_t limit = std::min(request.limit, LedgerRequest::kLimitMax);
  LedgerReply reply;
  reply.agent = impl_->options_.agent;
  reply.host = impl_->options_.host;
  reply.instance = impl_->options_.instance;
  reply.published = impl_->publications_.report(limit);
  reply.heard = impl_->subscriptions_.report(limit);
  reply.complete = reply.published.size() < limit && reply.heard.size() < limit;
  return reply;
}

bool Peer::wanted(std::string_view topic) const noexcept { return impl_->publications_.publisher().wanted(topic); }
void Peer::on_handler_failed(std::function<void(std::string_view, const ThrownFacts&)> failed) {
  impl_->dispatcher_.on_failed(std::move(failed));
}
void Peer::start_draining() noexcept { impl_->dispatcher_.start_draining(); }
std::size_t Peer::in_flight() const noexcept { return impl_->dispatcher_.in_flight(); }

void Peer::flush() {
  impl_->caller_.flush();
  impl_->server_.flush();
  impl_->publications_.tell_all();  // the end may be near, and then nobody tells of a lost one
  impl_->publications_.publisher().flush();
}

}  // namespace weft::peer
