#include "weft/mesh/mesh.hpp"

#include <algorithm>
#include <array>

#include "weft/mesh/builtin_methods.hpp"
#include "weft/mesh/hints.hpp"
#include "weft/mesh/make_call.hpp"
#include "weft/mesh/membership.hpp"
#include "weft/mesh/router.hpp"
#include "weft/mesh/steering.hpp"
#include "weft/net/net.hpp"
#include "weft/report/reporter.hpp"

namespace weft::mesh {
namespace {

/// With the trace to which the work belongs that reports it.
ErrorEvent traced(ErrorEvent event) {
  if (const TraceContext* trace = current_trace(); trace && event.trace_id.empty())
    event.trace_id = observe::to_hex(trace->trace_id);
  return event;
}

constexpr Duration kBusTimeout = 2s;
constexpr Duration kSettled = 3s;   // after a subscription: by then its publishers should be known
constexpr Duration kQuietFor = 1s;  // without a change in the directory
constexpr std::size_t kNamesMax = 65'536;
constexpr std::string_view kStopped = "stopped";  // the reason of who leaves by itself
constexpr Duration kStopGrace = 10s;              // until then it has finished
constexpr Duration kLeaveSettle = 50ms;           // after deregistering: callers learn of it within this

MeshOptions with_instance(MeshOptions options, const Clock& clock) {
  if (options.peer.instance.is_nil()) {
    Random random = Random::from_os();
    options.peer.instance = Ulid::make(clock.wall(), random);
  }
  return options;
}

report::ErrorReporter::Options reporter_options(const MeshOptions& options) {
  report::ErrorReporter::Options out;
  out.host = options.peer.host;
  out.agent = options.peer.agent;
  out.version = options.peer.version;
  out.config_hash = options.config_hash;
  out.instance = options.peer.instance;
  out.spool_file = options.spool_file;
  return out;
}

}  // namespace

struct Mesh::Impl {
  Impl(Loop& l, net::Context& context, MeshOptions o, observe::Metrics& metrics, observe::Log& g, observe::Health& h)
      : loop(l),
        options(with_instance(std::move(o), l.clock())),
        log(g),
        health(h),
        security(context.security()),
        peer(l, context, options.peer, metrics, g),
        router(directory, peer.caller(), options.peer),
        steering(l, peer.caller(), router, options.peer.policies, metrics, g),
        membership(l, peer, directory, options, metrics, g, hooks()) {
    if (options.report_errors) {
      reporter = std::make_unique<report::ErrorReporter>(
          l, reporter_options(options),
          [this](report::ReportRequest request) { return send_report(std::move(request)); }, metrics, g);
    }
    directory.watch([this](const InstanceRecord& record, const Removal* removed) { changed(record, removed); });
    peer.on_record_changed([this] { membership.update(); });
    peer.on_handler_failed([this](std::string_view method, const ThrownFacts& thrown) {
      if (!reporter) return;
      ErrorEvent event;
      event.category = "handler";
      event.code = codes::handler_failed.id;
      event.message = "a handler of " + std::string(method) + " threw: {what}";  // each method has issues of its own
      event.exception = thrown.type;
      event.stack = thrown.stack;
      event.values = {{"method", method}, {"what", thrown.text}};
      reporter->report(traced(std::move(event)));
    });
    peer.name_senders([this](std::uint64_t sender) { return name_of(sender); });
    if (options.join) serve_views(peer, directory, steering);
    if (options.join) steering.on_reports([this] { membership.announce(); });
    if (options.join) steering.serve(peer);
    log.set_instance(options.peer.instance.to_string());
    if (options.join) health.set("registry", false, "not registered yet");
  }

  Membership::Hooks hooks() {
    return {[this](std::uint64_t epoch) {
              if (reporter) reporter->set_epoch(epoch);
              health.set("registry", true, "registered");
            },
            [this](const std::string& why) {
              if (options.join && !membership.joined()) health.set("registry", false, why);
            },
            [this] {
              health.set("registry", false, "a newer instance has taken the slot");
              if (fenced) fenced();
            },
            [this] { return steering.reports(); }};
  }

  // ---- events

  struct Interest {
    std::uint64_t id;
    TopicPattern pattern;
    std::function<void(const std::string&)> on_unpublished;
    TimePoint look_at;  // whether somebody publishes it; max: it was looked at
  };

  std::string name_of(std::uint64_t sender) const {
    const auto found = names.find(sender);
    return found == names.end() ? std::string() : found->second;
  }

  void remember_name(const InstanceRecord& record) {
    if (names.size() >= kNamesMax) names.clear();
    names[record.instance.short_id()] = record.agent + "@" + record.host;
  }

  /// Publishers may still be coming: looks only when the directory has been filled and quiet for a while.
  void look_for_publishers() {
    const TimePoint now = loop.now();
    bool wait = false;
    std::vector<Interest> ripe;  // telling may subscribe
    for (auto& interest : interests) {
      if (interest.look_at == TimePoint::max()) continue;
      if (!directory.filled() || now < interest.look_at || now < last_change + kQuietFor) {
        wait = true;
        continue;
      }
      interest.look_at = TimePoint::max();
      ripe.push_back(interest);
    }
    if (wait) look.start(kQuietFor, [this] { look_for_publishers(); });
    for (const auto& interest : ripe) tell_unpublished(interest);
  }

  void tell_unpublished(const Interest& interest) {
    std::vector<std::string> published;
    for (const auto* record : directory.all()) {
      if (interesting_for(*record, interest.pattern)) return;
      published.insert(published.end(), record->topics.begin(), record->topics.end());
    }
    const std::string hint = nearest_topic(interest.pattern, published).value_or("");
    if (hint.empty())
      log.info("nobody publishes what is subscribed to", {{"pattern", interest.pattern.text()}});
    else
      log.warn("nobody publishes what is subscribed to",
               {{"pattern", interest.pattern.text()}, {"hint", "did you mean '" + hint + "'?"}});
    if (const auto notify = interest.on_unpublished) notify(hint);
  }

  static bool interesting_for(const InstanceRecord& record, const TopicPattern& pattern) {
    return std::any_of(record.topics.begin(), record.topics.end(), [&](const std::string& topic) {
      const auto published = TopicPattern::parse(topic);
      return published && pattern.overlaps(*published);
    });
  }

  bool interesting(const InstanceRecord& record) const {
    return std::any_of(interests.begin(), interests.end(),
                       [&](const Interest& interest) { return interesting_for(record, interest.pattern); });
  }

  void connect_if_interesting(const InstanceRecord& record) {
    if (record.agent == "registry" || publishers.contains(record.instance) || !interesting(record)) return;
    const std::string& endpoint = router.reach(record, record.publish_local, record.publish_endpoint);
    if (endpoint.empty()) return;
    publishers.emplace(record.instance, endpoint);
    peer.connect_publisher(endpoint, record.instance.short_id());
  }

  void drop(const InstanceRecord& record, const std::string& reason) {
    for (const auto* endpoint : endpoints_of(record)) {
      if (endpoint->empty() || still_used(*endpoint)) continue;
      peer.drop_peer(*endpoint, reason);
      if (security) security->forget(*endpoint);
    }
  }

  void changed(const InstanceRecord& record, const Removal* removed) {
    last_change = loop.now();
    if (removed) steering.instance_removed(record.instance);
    if (options.join && record.instance != options.peer.instance)
      removed ? steering.gone(record.instance) : steering.receive_reports(record);
    if (!removed) {
      remember_name(record);
      if (security) learn_key(record);
      connect_if_interesting(record);
      if (record.agent == "errorbus" && reporter) reporter->wake();
      return;
    }
    if (removed->reason == kStopped) {  // it finishes what it has begun: its answers are still waited for
      loop.after(kStopGrace, [this, record, reason = removed->reason, alive = std::weak_ptr<int>(life)] {
        if (alive.lock()) drop(record, reason);
      });
    } else {
      drop(record, removed->reason);
    }
    if (const auto found = publishers.find(record.instance); found != publishers.end()) {
      peer.disconnect_publisher(found->second, record.instance.short_id());
      publishers.erase(found);
    }
  }

  static std::array<const std::string*, 4> endpoints_of(const InstanceRecord& record) {
    return {&record.call_endpoint, &record.call_local, &record.publish_endpoint, &record.publish_local};
  }

  void learn_key(const InstanceRecord& record) {
    for (const auto* endpoint : endpoints_of(record)) security->learn(*endpoint, record.public_key);
  }

  /// A process that came back on the same fixed port is not gone.
  bool still_used(const std::string& endpoint) const {
    const auto all = directory.all();
    return std::any_of(all.begin(), all.end(), [&](const InstanceRecord* record) {
      const auto used = endpoints_of(*record);
      return std::any_of(used.begin(), used.end(), [&](const std::string* one) { return *one == endpoint; });
    });
  }

  // ---- calls

  Task<Result<report::ReportReply>> send_report(report::ReportRequest request) {
    std::string endpoint = options.error_bus;
    if (endpoint.empty()) {
      const auto buses = router.candidates("errorbus");
      const auto own = std::find_if(buses->begin(), buses->end(),
                                    [](const auto& candidate) { return candidate.instance_state->local; });
      if (own == buses->end()) {
        CallOptions local;
        local.host = options.peer.host;
        co_return router.nobody("errorbus", local);
      }
      endpoint = own->record->call_endpoint;
    }
    CallOptions call;
    call.timeout = kBusTimeout;
    auto answer = co_await peer.call_at(endpoint, "errorbus.report", Payload::of(request), call);
    if (!answer) co_return answer.error();
    co_return answer->as<report::ReportReply>();
  }

  Loop& loop;
  MeshOptions options;
  observe::Log& log;
  observe::Health& health;
  net::Security* security;  // null: nothing is encrypted
  Peer peer;
  Directory directory;
  Router router;
  Steering steering;
  Membership membership;
  std::unique_ptr<report::ErrorReporter> reporter;
  std::vector<Interest> interests;
  std::uint64_t last_interest = 0;
  Timer look{loop};
  TimePoint last_change{};
  std::unordered_map<std::uint64_t, std::string> names;  // of publishers, also of those that are gone
  std::map<Ulid, std::string> publishers;                // connected, by instance
  std::function<void()> fenced;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Mesh::Mesh(Loop& loop, net::Context& context, MeshOptions options, observe::Metrics& metrics, observe::Log& log,
           observe::Health& health)
    : impl_(std::make_unique<Impl>(loop, context, std::move(options), metrics, log, health)) {}

Mesh::~Mesh() {
  if (impl_->reporter) impl_->reporter->close();
}

Result<void> Mesh::start() {
  if (impl_->options.registries.empty()) {
    return Error(codes::bad_config, "registry.addresses is empty",
                 "name at least one registry, such as tcp://127.0.0.1:7411");
  }
  if (impl_->options.join) {
    if (auto bound = impl_->peer.bind(); !bound) return bound;
  }
  impl_->membership.start();
  return {};
}

Task<Result<void>> Mesh::ready(Duration timeout) {
  const TimePoint end = impl_->loop.now() + timeout;
  while (!impl_->membership.ready()) {
    if (impl_->loop.now() >= end) {
      const Error& why = impl_->membership.last_error();
      if (!why.code.empty() && why.kind != ErrorKind::timeout && why.kind != ErrorKind::disconnected) co_return why;
      co_return Error(
          codes::no_registry,
          "no registry answered within " + to_text(timeout) + " (" + impl_->options.registries.front() + ")",
          "is the mesh running? weft up starts it; registry.addresses says where it is looked for");
    }
    co_await sleep_for(impl_->loop, 5ms);
  }
  co_return Result<void>();
}

Task<void> Mesh::drain(Duration budget) {
  auto& i = *impl_;
  const TimePoint end = i.loop.now() + budget;
  co_await i.membership.leave(std::string(kStopped));
  if (i.options.join) co_await sleep_for(i.loop, std::min(budget, kLeaveSettle));
  i.peer.start_draining();
  while (i.peer.in_flight() > 0 && i.loop.now() < end) co_await sleep_for(i.loop, 5ms);
  while (i.reporter && i.reporter->unacknowledged() > 0 && i.loop.now() < end - budget / 2)
    co_await sleep_for(i.loop, 5ms);
  i.peer.flush();
}

Peer& Mesh::peer() noexcept { return impl_->peer; }
const Directory& Mesh::directory() const noexcept { return impl_->directory; }
void Mesh::watch(Directory::Watcher watcher) { impl_->directory.watch(std::move(watcher)); }
void Mesh::on_fenced(std::function<void()> fenced) { impl_->fenced = std::move(fenced); }
void Mesh::set_health(HealthState state, std::string text) { impl_->membership.set_health(state, std::move(text)); }

Result<Subscription> Mesh::subscribe(std::string_view pattern, EventHandler handler, SubscribeOptions options) {
  auto parsed = TopicPattern::parse(pattern);
  if (!parsed) return parsed.error();
  auto& i = *impl_;
  const std::uint64_t id = ++i.last_interest;
  i.interests.push_back({id, *parsed, std::move(options.on_unpublished), i.loop.now() + kSettled});
  if (!i.look.running()) i.look.start(kSettled, [&i] { i.look_for_publishers(); });
  auto inner = std::make_shared<Subscription>(i.peer.subscribe(*parsed, std::move(handler), options));
  for (const auto* record : i.directory.all()) i.connect_if_interesting(*record);
  return Subscription([inner, impl = impl_.get(), id, alive = std::weak_ptr<int>(i.life)] {
    inner->close();
    if (alive.lock())
      std::erase_if(impl->interests, [id](const Impl::Interest& interest) { return interest.id == id; });
  });
}

Result<Stream> Mesh::open_stream(std::string target, Payload payload, StreamOptions options) {
  const auto agent = agent_of(target);
  if (!agent) return agent.error();
  Route route(impl_->steering.target(target));  // its circuit learns nothing of streams
  auto candidate = impl_->steering.select(route, options);
  if (!candidate) return candidate.error();
  auto core = impl_->peer.caller().open((*candidate)->to, (*candidate)->record, std::move(target), std::move(payload),
                                        std::move(options));
  if (!core) return core.error();
  return Stream(std::move(*core));
}

Task<Result<Payload>> Mesh::call(std::string target, Payload payload, CallOptions options) {
  auto& i = *impl_;
  if (auto agent = agent_of(target); !agent) return failed_call(std::move(agent.error()));
  return make_call({i.loop, i.peer.caller(), i.steering}, i.steering.target(target), std::move(payload),
                   std::move(options));
}

Task<Result<Gathered>> Mesh::call_all(std::string target, Payload payload, CallOptions options,
                                      GatherOptions gathering) {
  const auto agent = agent_of(target);
  if (!agent) co_return agent.error();
  auto& i = *impl_;
  std::vector<Gathered::Answer> wanted = i.steering.wanted(*agent, options, gathering);
  if (wanted.empty()) co_return i.router.nobody(*agent, options);
  auto ask = [this, target, payload, options](const std::string& instance) {
    CallOptions one = options;
    one.instance = instance;
    return call(target, payload, std::move(one));
  };
  co_return co_await gather(i.loop, std::move(wanted), std::move(gathering), std::move(ask));
}

void Mesh::set_policies(std::shared_ptr<const Policies> policies) {
  impl_->peer.set_policies(policies);
  impl_->steering.set_policies(std::move(policies));
}

Value Mesh::explain_call(std::string_view target, const CallOptions& options) {
  return impl_->steering.explain(target, options);
}

void Mesh::report(ErrorEvent event) noexcept {
  if (impl_->reporter) impl_->reporter->report(traced(std::move(event)));
}

}  // namespace weft::mesh
