#include "registry/registry.hpp"

#include "registry/bus_reporter.hpp"
#include "registry/follower.hpp"
#include "registry/keeper.hpp"
#include "registry/meters.hpp"
#include "registry/pages.hpp"
#include "weft/base/lifetime.hpp"

namespace weft::registry {
namespace {

constexpr Duration kStoreRetry = 1s;
constexpr Duration kForwardTimeout = 1s;

/// A row of `registry.list`, for people.
struct Row {
  std::string agent, host, version;
  wire::HealthState health = wire::HealthState::passing;
  std::uint64_t epoch = 0;
  Duration age{};
  std::string registry;
  WEFT_FIELDS(Row, agent, host, version, health, epoch, age, registry)
};
struct Pong {
  std::string registry, mesh, version;
  std::uint64_t instances = 0;
  WEFT_FIELDS(Pong, registry, mesh, version, instances)
};

Table::Options table_options(const Options& options) {
  Table::Options table;
  table.mesh = options.peer.mesh;
  table.host = options.peer.host;
  table.lease = options.lease;
  table.instances_max = options.instances_max;
  // A snapshot of the whole mesh must fit into one payload: each registry has its share of it.
  table.bytes_max = options.peer.limits.payload_max / (options.peers.size() + 1);
  return table;
}

io::HttpResponse json_response(std::string body) { return {200, "application/json", std::move(body)}; }

std::string query_of(const io::HttpRequest& request, const std::string& key) {
  const auto it = request.query.find(key);
  return it == request.query.end() ? std::string() : it->second;
}

}  // namespace

struct Registry::Impl {
  Impl(Loop& loop, net::Context& context, Options options, OpenStore open_store, Random& random,
       observe::Metrics& metrics, observe::Log& log, observe::Health& health)
      : loop_(loop),
        options_(std::move(options)),
        metrics_(metrics),
        log_(log),
        health_(health),
        peer_(loop, context, options_.peer, metrics, log),
        book_(loop.clock(), table_options(options_), Ulid::make(loop.clock().wall(), random)),
        keeper_(std::move(open_store), options_.boot),
        meters_(metrics),
        bus_(loop, peer_, book_, metrics, log),
        tick_timer_(loop),
        store_timer_(loop) {}

  // ---- start

  Result<void> start() {
    if (auto bound = peer_.bind(); !bound) return bound;
    load();
    for (const auto topic : {wire::kChangesTopic, wire::kOwnTopic})
      if (auto announced = peer_.publishes(std::string(topic)); !announced) return announced;
    serve();
    auto pattern = TopicPattern::parse(wire::kOwnTopic);
    own_changes_ = peer_.subscribe(*pattern, [this](const events::Event& event) { on_own_changes(event); });
    // Its predecessor holds no port any more; by a clock that was set back it may still look like the newer one.
    book_.leave({"", options_.peer.slot, "replaced"});
    if (auto entered = enter_self(); !entered) return entered;
    flush();
    follow_peers();
    schedule_tick();
    return {};
  }

  void load() {
    auto loaded = keeper_.load(book_);
    if (!loaded) return store_failed(loaded.error());
    if (!loaded->notice.empty()) {
      log_.error("the store was damaged", {{"notice", loaded->notice}});
      bus_.report(Severity::error, codes::store_failed, "the registry's store was damaged: {why}", loaded->notice);
    }
    if (loaded->unreadable > 0)
      log_.warn("records of the store cannot be read", {{"count", static_cast<std::int64_t>(loaded->unreadable)}});
    log_.info("store loaded", {{"records", static_cast<std::int64_t>(loaded->records)},
                               {"dead", static_cast<std::int64_t>(loaded->dead)}});
    health_.set("store", true);
  }

  wire::HealthState own_health() const {
    return store_error_.empty() ? wire::HealthState::passing : wire::HealthState::critical;
  }

  Result<void> enter_self() {
    InstanceRecord record = peer_.record();
    record.tags = options_.tags;
    record.tags["weft"] = WEFT_VERSION;
    record.admin = options_.admin;
    record.config_hash = options_.config_hash;
    record.health = own_health();
    record.health_text = store_error_;
    auto entered = book_.enter(std::move(record));
    if (!entered) return entered.error();
    self_epoch_ = entered->epoch;
    peer_.set_epoch(self_epoch_);
    return {};
  }

  void follow_peers() {
    const Follower::Hooks hooks{[this] { changed(); },
                                [this](const Follower& asking, const std::string& registry) {
                                  for (const auto& other : followers_)
                                    if (other.get() != &asking && other->up() && other->registry() == registry)
                                      return false;
                                  return true;
                                }};
    for (const auto& endpoint : options_.peers)
      followers_.push_back(std::make_unique<Follower>(loop_, peer_, book_, endpoint, metrics_, log_, hooks));
    for (const auto& follower : followers_) follower->start();
  }

  // ---- methods

  template <class Request>
  using Answer = Task<Result<wire::Payload>> (Impl::*)(Request);

  template <class Request>
  void serve_one(const char* name, const char* summary, Answer<Request> answer) {
    peer::serve<Request>(peer_, {name, summary},
                         [this, answer](Request request) { return (this->*answer)(std::move(request)); });
  }

  void serve() {
    serve_one<InstanceRecord>("register", "enters an instance for one lease", &Impl::answer_register);
    serve_one<wire::RenewRequest>("renew", "gives an instance one lease more", &Impl::answer_renew);
    serve_one<wire::DeregisterRequest>("deregister", "removes an instance, by id or by slot", &Impl::answer_deregister);
    serve_one<Value>("snapshot", "every record of the mesh", &Impl::answer_snapshot);
    serve_one<Value>("replica", "every record that this registry writes", &Impl::answer_replica);
    serve_one<Value>("beat", "how far this registry's own records are", &Impl::answer_beat);
    serve_one<Value>("ping", "who answers", &Impl::answer_ping);
    serve_one<Value>("list", "the mesh for people: agent, host, version, health, epoch, age", &Impl::answer_list);
  }

  Task<Result<wire::Payload>> answer_register(InstanceRecord record) {
    auto entered = book_.enter(std::move(record));
    meters_.registration(entered ? nullptr : &entered.error());
    if (!entered) co_return entered.error();
    co_await written();
    co_return wire::Payload::of(*entered);
  }

  Task<Result<wire::Payload>> answer_renew(wire::RenewRequest request) {
    auto renewed = book_.renew(request);
    meters_.renewal(renewed ? nullptr : &renewed.error());
    if (!renewed) co_return renewed.error();
    changed();
    co_return wire::Payload::of(*renewed);
  }

  Task<Result<wire::Payload>> answer_deregister(wire::DeregisterRequest request) {
    if (book_.leave(request)) {
      co_await written();
      co_return wire::Payload::of(Value());
    }
    co_return co_await forward(std::move(request));
  }

  Task<Result<wire::Payload>> answer_snapshot(Value) {
    flush();
    if (!snapshot_payload_) snapshot_payload_ = wire::Payload::of(with_endpoints(book_.snapshot()));
    co_return *snapshot_payload_;
  }

  Task<Result<wire::Payload>> answer_replica(Value) {
    flush();
    co_return wire::Payload::of(with_endpoints(book_.own_snapshot()));
  }

  Task<Result<wire::Payload>> answer_beat(Value) { co_return wire::Payload::of(book_.own_position()); }

  Task<Result<wire::Payload>> answer_ping(Value) {
    co_return wire::Payload::of(
        Pong{book_.host(), options_.peer.mesh, options_.peer.version, static_cast<std::uint64_t>(book_.view().size())});
  }

  Task<Result<wire::Payload>> answer_list(Value) {
    const WallTime now = loop_.clock().wall();
    std::vector<Row> rows;
    book_.view().each([&](const InstanceRecord& record) {
      const Duration age = std::max(Duration::zero(), Duration(now - wall_from_us(record.started_us)));
      rows.push_back({record.agent, record.host, record.version, record.health, record.epoch,
                      std::chrono::duration_cast<std::chrono::seconds>(age), record.registry});
    });
    co_return wire::Payload::of(rows);
  }

  wire::Snapshot with_endpoints(wire::Snapshot snapshot) const {
    const InstanceRecord self = peer_.record();
    snapshot.publish_endpoint = self.publish_endpoint;
    snapshot.publish_local = self.publish_local;
    return snapshot;
  }

  /// The record of another registry, which is the only one that may change it; null when there is no such record.
  const InstanceRecord* record_elsewhere(const wire::DeregisterRequest& request) const {
    const auto id = Ulid::parse(request.instance);
    const InstanceRecord* record = id ? book_.view().find(*id) : book_.view().holder(request.slot);
    return record && record->registry != book_.host() ? record : nullptr;
  }

  /// An unknown instance is fine: it has gone already. Errors: `no_registry`, when the one that has it does not answer.
  Task<Result<wire::Payload>> forward(wire::DeregisterRequest request) {
    const InstanceRecord* record = record_elsewhere(request);
    if (!record || request.forwarded) co_return wire::Payload::of(Value());
    const std::string owner = record->registry;
    request.instance = record->instance.to_string();
    request.forwarded = true;
    for (const auto& follower : followers_) {
      if (!follower->up() || follower->registry() != owner) continue;
      calls::CallOptions call;
      call.timeout = kForwardTimeout;
      co_return co_await peer_.call_at(follower->endpoint(), "registry.deregister", wire::Payload::of(request), call);
    }
    co_return Error(codes::no_registry,
                    "instance " + request.instance + " is registered at the registry of host '" + owner +
                        "', which cannot be reached from '" + book_.host() + "'",
                    "ask that registry, or wait until the lease of the instance ends");
  }

  // ---- what peers publish

  void on_own_changes(const events::Event& event) {
    auto changes = event.payload.as<wire::Changes>();
    if (!changes) return log_.warn("changes of a peer cannot be read", {{"error", changes.error().message}});
    const auto followed = book_.apply(*changes);
    if (followed == Book::Followed::yes) return changed();
    for (const auto& follower : followers_) {
      const Replica* replica = book_.replica(follower->registry());
      const bool its = replica != nullptr && replica->term() == changes->term;
      // an unknown term may be that of any peer that has just begun anew
      if (its || (followed == Book::Followed::unknown && follower->up())) follower->wake();
    }
  }

  // ---- changes: stored, then published, then acknowledged, all of a turn together

  void changed() {
    if (!book_.changed() || std::exchange(flush_scheduled_, true)) return;
    loop_.at_turn_end(lifetime_.guard([this] {
      flush_scheduled_ = false;
      flush();
    }));
  }

  /// Resolves when what changed before is in the store, or the store is broken and health says so.
  Completion<bool> written() {
    Completion<bool> done;
    waiting_.push_back(done.completer());
    changed();
    return done;
  }

  void flush() {
    const auto out = book_.flush();
    if (!out.empty()) snapshot_payload_.reset();
    save(out.kept);
    for (const auto& changes : out.own) publish(wire::kOwnTopic, changes);
    for (const auto& changes : out.all) {
      meters_.follow(changes);
      publish(wire::kChangesTopic, changes);
    }
    meters_.measure(book_);
    for (auto& completer : std::exchange(waiting_, {})) completer.complete(true);
  }

  void publish(std::string_view topic, const wire::Changes& changes) {
    auto sent = peer_.publish(topic, wire::Payload::of(changes));
    if (!sent) log_.error("changes were not published", sent.error());  // whoever misses them takes a snapshot
  }

  void save(const std::vector<Book::Kept>& kept) {
    if (store_timer_.running()) return;  // it is broken, and tried again in a while
    const bool was_behind = keeper_.behind();
    if (auto saved = keeper_.save(book_, kept); !saved) return store_failed(saved.error());
    if (was_behind) health_.set("store", true);
    store_error_.clear();
  }

  void store_failed(const Error& error) {
    meters_.store_errors.add();
    log_.error("the store failed; serving from memory", error);
    health_.set("store", false, error.message);
    if (store_error_.empty())
      bus_.report(Severity::critical, codes::store_failed, "the registry serves from memory: {why}", error.message);
    store_error_ = "the store failed, serving from memory: " + error.message;
    store_timer_.start(kStoreRetry, [this] { save({}); });
  }

  // ---- time

  void schedule_tick() {
    const Duration wait = std::max<Duration>(book_.next_due() - loop_.now(), 1ms);
    tick_timer_.start(wait, [this] {
      tick();
      schedule_tick();
    });
  }

  void tick() {
    const wire::RenewRequest own{options_.peer.instance, self_epoch_, own_health(), store_error_};
    if (!book_.renew(own)) {
      if (auto entered = enter_self(); !entered) log_.error("this registry cannot list itself", entered.error());
    }
    book_.tick();
    changed();
    meters_.measure(book_);
  }

  Loop& loop_;
  Options options_;
  observe::Metrics& metrics_;
  observe::Log& log_;
  observe::Health& health_;
  peer::Peer peer_;
  Book book_;
  Keeper keeper_;
  Meters meters_;
  BusReporter bus_;
  std::uint64_t self_epoch_ = 0;
  std::string store_error_;  ///< empty: it works
  bool flush_scheduled_ = false;
  std::optional<wire::Payload> snapshot_payload_;  // of the whole mesh, until it changes
  std::vector<Completion<bool>::Completer> waiting_;
  Timer tick_timer_, store_timer_;
  std::vector<std::unique_ptr<Follower>> followers_;
  events::Subscription own_changes_;
  TaskScope tasks_;
  Lifetime lifetime_;
};

Registry::Registry(Loop& loop, net::Context& context, Options options, OpenStore open_store, Random& random,
                   observe::Metrics& metrics, observe::Log& log, observe::Health& health)
    : impl_(std::make_unique<Impl>(loop, context, std::move(options), std::move(open_store), random, metrics, log,
                                   health)) {}
Registry::~Registry() = default;

Result<void> Registry::start() { return impl_->start(); }

void Registry::stop() {
  auto& i = *impl_;
  i.tick_timer_.stop();
  i.followers_.clear();
  i.book_.leave({i.options_.peer.instance.to_string(), "", "stopped"});
  i.flush();
  i.peer_.start_draining();
  i.peer_.flush();
}

peer::Peer& Registry::peer() noexcept { return impl_->peer_; }

io::HttpResponse Registry::agents_page(const io::HttpRequest& request) const {
  return json_response(agents_json(impl_->book_.view(), query_of(request, "agent"), query_of(request, "host")));
}

io::HttpResponse Registry::http_sd_page(const io::HttpRequest&) const {
  return json_response(http_sd_json(impl_->book_.view(), impl_->book_.host()));
}

}  // namespace weft::registry
