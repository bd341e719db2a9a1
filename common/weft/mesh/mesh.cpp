#include "weft/mesh/mesh.hpp"

#include <algorithm>
#include <array>

#include "weft/base/lifetime.hpp"
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
  Impl(Loop& loop, net::Context& context, MeshOptions options, observe::Metrics& metrics, observe::Log& log,
       observe::Health& health)
      : loop_(loop),
        options_(with_instance(std::move(options), loop.clock())),
        log_(log),
        health_(health),
        security_(context.security()),
        peer_(loop, context, options_.peer, metrics, log),
        router_(directory_, peer_.caller(), options_.peer),
        steering_(loop, peer_.caller(), router_, options_.peer.policies, metrics, log),
        membership_(loop, peer_, directory_, options_, metrics, log, hooks()) {
    if (options_.report_errors) {
      reporter_ = std::make_unique<report::ErrorReporter>(
          loop, reporter_options(options_),
          [this](report::ReportRequest request) { return send_report(std::move(request)); }, metrics, log);
    }
    directory_.watch([this](const InstanceRecord& record, const Removal* removed) { changed(record, removed); });
    peer_.on_record_changed([this] { membership_.update(); });
    peer_.on_handler_failed([this](std::string_view method, const ThrownFacts& thrown) {
      if (!reporter_) return;
      ErrorEvent event;
      event.category = "handler";
      event.code = codes::handler_failed.id;
      event.message = "a handler of " + std::string(method) + " threw: {what}";  // each method has issues of its own
      event.exception = thrown.type;
      event.stack = thrown.stack;
      event.values = {{"method", method}, {"what", thrown.text}};
      reporter_->report(traced(std::move(event)));
    });
    peer_.name_senders([this](std::uint64_t sender) { return name_of(sender); });
    if (options_.join) serve_views(peer_, directory_, steering_);
    if (options_.join) steering_.on_reports([this] { membership_.announce(); });
    if (options_.join) steering_.serve(peer_);
    log_.set_instance(options_.peer.instance.to_string());
    if (options_.join) health_.set("registry", false, "not registered yet");
  }

  Membership::Hooks hooks() {
    return {[this](std::uint64_t epoch) {
              if (reporter_) reporter_->set_epoch(epoch);
              health_.set("registry", true, "registered");
            },
            [this](const std::string& why) {
              if (options_.join && !membership_.joined()) health_.set("registry", false, why);
            },
            [this] {
              health_.set("registry", false, "a newer instance has taken the slot");
              if (fenced_) fenced_();
            },
            [this] { return steering_.reports(); }};
  }

  // ---- events

  struct Interest {
    std::uint64_t id;
    TopicPattern pattern;
    std::function<void(const std::string&)> on_unpublished;
    TimePoint look_at;  // whether somebody publishes it; max: it was looked at
  };

  std::string name_of(std::uint64_t sender) const {
    const auto found = names_.find(sender);
    return found == names_.end() ? std::string() : found->second;
  }

  void remember_name(const InstanceRecord& record) {
    if (names_.size() >= kNamesMax) names_.clear();
    names_[record.instance.short_id()] = record.agent + "@" + record.host;
  }

  /// Publishers may still be coming: looks only when the directory has been filled and quiet for a while.
  void look_for_publishers() {
    const TimePoint now = loop_.now();
    bool wait = false;
    std::vector<Interest> ripe;  // telling may subscribe
    for (auto& interest : interests_) {
      if (interest.look_at == TimePoint::max()) continue;
      if (!directory_.filled() || now < interest.look_at || now < last_change_ + kQuietFor) {
        wait = true;
        continue;
      }
      interest.look_at = TimePoint::max();
      ripe.push_back(interest);
    }
    if (wait) look_.start(kQuietFor, [this] { look_for_publishers(); });
    for (const auto& interest : ripe) tell_unpublished(interest);
  }

  void tell_unpublished(const Interest& interest) {
    std::vector<std::string> published;
    for (const auto* record : directory_.all()) {
      if (interesting_for(*record, interest.pattern)) return;
      published.insert(published.end(), record->topics.begin(), record->topics.end());
    }
    const std::string hint = nearest_topic(interest.pattern, published).value_or("");
    if (hint.empty())
      log_.info("nobody publishes what is subscribed to", {{"pattern", interest.pattern.text()}});
    else
      log_.warn("nobody publishes what is subscribed to",
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
    return std::any_of(interests_.begin(), interests_.end(),
                       [&](const Interest& interest) { return interesting_for(record, interest.pattern); });
  }

  void connect_if_interesting(const InstanceRecord& record) {
    if (record.agent == "registry" || publishers_.contains(record.instance) || !interesting(record)) return;
    const std::string& endpoint = router_.reach(record, record.publish_local, record.publish_endpoint);
    if (endpoint.empty()) return;
    publishers_.emplace(record.instance, endpoint);
    peer_.connect_publisher(endpoint, record.instance.short_id());
  }

  void drop(const InstanceRecord& record, const std::string& reason) {
    for (const auto* endpoint : endpoints_of(record)) {
      if (endpoint->empty() || still_used(*endpoint)) continue;
      peer_.drop_peer(*endpoint, reason);
      if (security_) security_->forget(*endpoint);
    }
  }

  void changed(const InstanceRecord& record, const Removal* removed) {
    last_change_ = loop_.now();
    if (removed) steering_.instance_removed(record.instance);
    if (options_.join && record.instance != options_.peer.instance) {
      if (removed) {
        steering_.gone(record.instance);
      } else {
        steering_.receive_reports(record);
      }
    }
    if (!removed) {
      remember_name(record);
      if (security_) learn_key(record);
      connect_if_interesting(record);
      if (record.agent == "errorbus" && reporter_) reporter_->wake();
      return;
    }
    if (removed->reason == kStopped) {  // it finishes what it has begun: its answers are still waited for
      loop_.after(kStopGrace, lifetime_.guard([this, record, reason = removed->reason] { drop(record, reason); }));
    } else {
      drop(record, removed->reason);
    }
    if (const auto found = publishers_.find(record.instance); found != publishers_.end()) {
      peer_.disconnect_publisher(found->second, record.instance.short_id());
      publishers_.erase(found);
    }
  }

  static std::array<const std::string*, 4> endpoints_of(const InstanceRecord& record) {
    return {&record.call_endpoint, &record.call_local, &record.publish_endpoint, &record.publish_local};
  }

  void learn_key(const InstanceRecord& record) {
    for (const auto* endpoint : endpoints_of(record)) security_->learn(*endpoint, record.public_key);
  }

  /// A process that came back on the same fixed port is not gone.
  bool still_used(const std::string& endpoint) const {
    const auto all = directory_.all();
    return std::any_of(all.begin(), all.end(), [&](const InstanceRecord* record) {
      const auto used = endpoints_of(*record);
      return std::any_of(used.begin(), used.end(), [&](const std::string* one) { return *one == endpoint; });
    });
  }

  // ---- calls

  Task<Result<report::ReportReply>> send_report(report::ReportRequest request) {
    std::string endpoint = options_.error_bus;
    if (endpoint.empty()) {
      const auto buses = router_.candidates("errorbus");
      const auto own = std::find_if(buses->begin(), buses->end(),
                                    [](const auto& candidate) { return candidate.instance_state->local; });
      if (own == buses->end()) {
        CallOptions local;
        local.host = options_.peer.host;
        co_return router_.nobody("errorbus", local);
      }
      endpoint = own->record->call_endpoint;
    }
    CallOptions call;
    call.timeout = kBusTimeout;
    auto answer = co_await peer_.call_at(endpoint, "errorbus.report", Payload::of(request), call);
    if (!answer) co_return answer.error();
    co_return answer->as<report::ReportReply>();
  }

  Loop& loop_;
  MeshOptions options_;
  observe::Log& log_;
  observe::Health& health_;
  net::Security* security_;  // null: nothing is encrypted
  Peer peer_;
  Directory directory_;
  Router router_;
  Steering steering_;
  Membership membership_;
  std::unique_ptr<report::ErrorReporter> reporter_;
  std::vector<Interest> interests_;
  std::uint64_t last_interest_ = 0;
  Timer look_{loop_};
  TimePoint last_change_{};
  std::unordered_map<std::uint64_t, std::string> names_;  // of publishers, also of those that are gone
  std::map<Ulid, std::string> publishers_;                // connected, by instance
  std::function<void()> fenced_;
  Lifetime lifetime_;
};

Mesh::Mesh(Loop& loop, net::Context& context, MeshOptions options, observe::Metrics& metrics, observe::Log& log,
           observe::Health& health)
    : impl_(std::make_unique<Impl>(loop, context, std::move(options), metrics, log, health)) {}

Mesh::~Mesh() {
  if (impl_->reporter_) impl_->reporter_->close();
}

Result<void> Mesh::start() {
  if (impl_->options_.registries.empty()) {
    return Error(codes::bad_config, "registry.addresses is empty",
                 "name at least one registry, such as tcp://127.0.0.1:7411");
  }
  if (impl_->options_.join) {
    if (auto bound = impl_->peer_.bind(); !bound) return bound;
  }
  impl_->membership_.start();
  return {};
}

Task<Result<void>> Mesh::ready(Duration timeout) {
  const TimePoint end = impl_->loop_.now() + timeout;
  while (!impl_->membership_.ready()) {
    if (impl_->loop_.now() >= end) {
      const Error& why = impl_->membership_.last_error();
      if (!why.code.empty() && why.kind != ErrorKind::timeout && why.kind != ErrorKind::disconnected) co_return why;
      co_return Error(
          codes::no_registry,
          "no registry answered within " + to_text(timeout) + " (" + impl_->options_.registries.front() + ")",
          "is the mesh running? weft up starts it; registry.addresses says where it is looked for");
    }
    co_await sleep_for(impl_->loop_, 5ms);
  }
  co_return Result<void>();
}

Task<void> Mesh::drain(Duration budget) {
  auto& i = *impl_;
  const TimePoint end = i.loop_.now() + budget;
  co_await i.membership_.leave(std::string(kStopped));
  if (i.options_.join) co_await sleep_for(i.loop_, std::min(budget, kLeaveSettle));
  i.peer_.start_draining();
  while (i.peer_.in_flight() > 0 && i.loop_.now() < end) co_await sleep_for(i.loop_, 5ms);
  while (i.reporter_ && i.reporter_->unacknowledged() > 0 && i.loop_.now() < end - budget / 2)
    co_await sleep_for(i.loop_, 5ms);
  i.peer_.flush();
}

Peer& Mesh::peer() noexcept { return impl_->peer_; }
const Directory& Mesh::directory() const noexcept { return impl_->directory_; }
void Mesh::watch(Directory::Watcher watcher) { impl_->directory_.watch(std::move(watcher)); }
void Mesh::on_fenced(std::function<void()> fenced) { impl_->fenced_ = std::move(fenced); }
void Mesh::set_health(HealthState state, std::string text) { impl_->membership_.set_health(state, std::move(text)); }

Result<Subscription> Mesh::subscribe(std::string_view pattern, EventHandler handler, SubscribeOptions options) {
  auto parsed = TopicPattern::parse(pattern);
  if (!parsed) return parsed.error();
  auto& i = *impl_;
  const std::uint64_t id = ++i.last_interest_;
  i.interests_.push_back({id, *parsed, std::move(options.on_unpublished), i.loop_.now() + kSettled});
  if (!i.look_.running()) i.look_.start(kSettled, [&i] { i.look_for_publishers(); });
  auto inner = std::make_shared<Subscription>(i.peer_.subscribe(*parsed, std::move(handler), options));
  for (const auto* record : i.directory_.all()) i.connect_if_interesting(*record);
  return Subscription([inner, impl = impl_.get(), id, watch = i.lifetime_.watch()] {
    inner->close();
    if (watch.alive())
      std::erase_if(impl->interests_, [id](const Impl::Interest& interest) { return interest.id == id; });
  });
}

Result<Stream> Mesh::open_stream(std::string target, Payload payload, StreamOptions options) {
  const auto agent = agent_of(target);
  if (!agent) return agent.error();
  Route route(impl_->steering_.target(target));  // its circuit learns nothing of streams
  auto candidate = impl_->steering_.select(route, options);
  if (!candidate) return candidate.error();
  auto core = impl_->peer_.caller().open((*candidate)->to, (*candidate)->record, std::move(target), std::move(payload),
                                         std::move(options));
  if (!core) return core.error();
  return Stream(std::move(*core));
}

Task<Result<Payload>> Mesh::call(std::string target, Payload payload, CallOptions options) {
  auto& i = *impl_;
  if (auto agent = agent_of(target); !agent) return failed_call(std::move(agent.error()));
  return make_call({i.loop_, i.peer_.caller(), i.steering_}, i.steering_.target(target), std::move(payload),
                   std::move(options));
}

Task<Result<Gathered>> Mesh::call_all(std::string target, Payload payload, CallOptions options,
                                      GatherOptions gathering) {
  const auto agent = agent_of(target);
  if (!agent) co_return agent.error();
  auto& i = *impl_;
  std::vector<Gathered::Answer> wanted = i.steering_.wanted(*agent, options, gathering);
  if (wanted.empty()) co_return i.router_.nobody(*agent, options);
  auto ask = [this, target, payload, options](const std::string& instance) {
    CallOptions one = options;
    one.instance = instance;
    return call(target, payload, std::move(one));
  };
  co_return co_await gather(i.loop_, std::move(wanted), std::move(gathering), std::move(ask));
}

void Mesh::set_policies(std::shared_ptr<const Policies> policies) {
  impl_->peer_.set_policies(policies);
  impl_->steering_.set_policies(std::move(policies));
}

wire::CallExplanation Mesh::explain_call(std::string_view target, const CallOptions& options) {
  return impl_->steering_.explain(target, options);
}

void Mesh::report(ErrorEvent event) noexcept {
  if (impl_->reporter_) impl_->reporter_->report(traced(std::move(event)));
}

}  // namespace weft::mesh
