#include "registry/registry.hpp"

#include "registry/bus_reporter.hpp"
#include "registry/follower.hpp"
#include "registry/keeper.hpp"
#include "registry/meters.hpp"
#include "registry/pages.hpp"

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
  Impl(Loop& l, net::Context& context, Options o, OpenStore open_store, Random& random, observe::Metrics& m,
       observe::Log& g, observe::Health& h)
      : loop(l),
        options(std::move(o)),
        metrics(m),
        log(g),
        health(h),
        peer(l, context, options.peer, m, g),
        book(l.clock(), table_options(options), Ulid::make(l.clock().wall(), random)),
        keeper(std::move(open_store), options.boot),
        meters(m),
        bus(l, peer, book, m, g),
        tick_timer(l),
        store_timer(l) {}

  // ---- start

  Result<void> start() {
    if (auto bound = peer.bind(); !bound) return bound;
    load();
    for (const auto topic : {wire::kChangesTopic, wire::kOwnTopic})
      if (auto announced = peer.publishes(std::string(topic)); !announced) return announced;
    serve();
    auto pattern = TopicPattern::parse(wire::kOwnTopic);
    own_changes = peer.subscribe(*pattern, [this](const events::Event& event) { on_own_changes(event); });
    // Its predecessor holds no port any more; by a clock that was set back it may still look like the newer one.
    book.leave({"", options.peer.slot, "replaced"});
    if (auto entered = enter_self(); !entered) return entered;
    flush();
    follow_peers();
    schedule_tick();
    return {};
  }

  void load() {
    auto loaded = keeper.load(book);
    if (!loaded) return store_failed(loaded.error());
    if (!loaded->notice.empty()) {
      log.error("the store was damaged", {{"notice", loaded->notice}});
      bus.report(Severity::error, codes::store_failed, "the registry's store was damaged: {why}", loaded->notice);
    }
    if (loaded->unreadable > 0)
      log.warn("records of the store cannot be read", {{"count", static_cast<std::int64_t>(loaded->unreadable)}});
    log.info("store loaded", {{"records", static_cast<std::int64_t>(loaded->records)},
                              {"dead", static_cast<std::int64_t>(loaded->dead)}});
    health.set("store", true);
  }

  wire::HealthState own_health() const {
    return store_error.empty() ? wire::HealthState::passing : wire::HealthState::critical;
  }

  Result<void> enter_self() {
    InstanceRecord record = peer.record();
    record.tags = options.tags;
    record.tags["weft"] = WEFT_VERSION;
    record.admin = options.admin;
    record.config_hash = options.config_hash;
    record.health = own_health();
    record.health_text = store_error;
    auto entered = book.enter(std::move(record));
    if (!entered) return entered.error();
    self_epoch = entered->epoch;
    peer.set_epoch(self_epoch);
    return {};
  }

  void follow_peers() {
    const Follower::Hooks hooks{[this] { changed(); },
                                [this](const Follower& asking, const std::string& registry) {
                                  for (const auto& other : followers)
                                    if (other.get() != &asking && other->up() && other->registry() == registry)
                                      return false;
                                  return true;
                                }};
    for (const auto& endpoint : options.peers)
      followers.push_back(std::make_unique<Follower>(loop, peer, book, endpoint, metrics, log, hooks));
    for (const auto& follower : followers) follower->start();
  }

  // ---- methods

  template <class Request>
  using Answer = Task<Result<wire::Payload>> (Impl::*)(Request);

  template <class Request>
  void serve_one(const char* name, const char* summary, Answer<Request> answer) {
    peer.serve({name, summary}, [this, answer](calls::Call& call) -> Task<Result<wire::Payload>> {
      auto request = call.payload().as<Request>();
      if (!request) co_return request.error();
      co_return co_await (this->*answer)(std::move(*request));
    });
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
    auto entered = book.enter(std::move(record));
    meters.registration(entered ? nullptr : &entered.error());
    if (!entered) co_return entered.error();
    co_await written();
    co_return wire::Payload::of(*entered);
  }

  Task<Result<wire::Payload>> answer_renew(wire::RenewRequest request) {
    auto renewed = book.renew(request);
    meters.renewal(renewed ? nullptr : &renewed.error());
    if (!renewed) co_return renewed.error();
    changed();
    co_return wire::Payload::of(*renewed);
  }

  Task<Result<wire::Payload>> answer_deregister(wire::DeregisterRequest request) {
    if (book.leave(request)) {
      co_await written();
      co_return wire::Payload::of(Value());
    }
    co_return co_await forward(std::move(request));
  }

  Task<Result<wire::Payload>> answer_snapshot(Value) {
    flush();
    if (!snapshot_payload) snapshot_payload = wire::Payload::of(with_endpoints(book.snapshot()));
    co_return *snapshot_payload;
  }

  Task<Result<wire::Payload>> answer_replica(Value) {
    flush();
    co_return wire::Payload::of(with_endpoints(book.own_snapshot()));
  }

  Task<Result<wire::Payload>> answer_beat(Value) { co_return wire::Payload::of(book.own_position()); }

  Task<Result<wire::Payload>> answer_ping(Value) {
    co_return wire::Payload::of(
        Pong{book.host(), options.peer.mesh, options.peer.version, static_cast<std::uint64_t>(book.view().size())});
  }

  Task<Result<wire::Payload>> answer_list(Value) {
    const WallTime now = loop.clock().wall();
    std::vector<Row> rows;
    book.view().each([&](const InstanceRecord& record) {
      const Duration age = std::max(Duration::zero(), Duration(now - wall_from_us(record.started_us)));
      rows.push_back({record.agent, record.host, record.version, record.health, record.epoch,
                      std::chrono::duration_cast<std::chrono::seconds>(age), record.registry});
    });
    co_return wire::Payload::of(rows);
  }

  wire::Snapshot with_endpoints(wire::Snapshot snapshot) const {
    const InstanceRecord self = peer.record();
    snapshot.publish_endpoint = self.publish_endpoint;
    snapshot.publish_local = self.publish_local;
    return snapshot;
  }

  /// The record of another registry, which is the only one that may change it; null when there is no such record.
  const InstanceRecord* record_elsewhere(const wire::DeregisterRequest& request) const {
    const auto id = Ulid::parse(request.instance);
    const InstanceRecord* record = id ? book.view().find(*id) : book.view().holder(request.slot);
    return record && record->registry != book.host() ? record : nullptr;
  }

  /// An unknown instance is fine: it has gone already. Errors: `no_registry`, when the one that has it does not answer.
  Task<Result<wire::Payload>> forward(wire::DeregisterRequest request) {
    const InstanceRecord* record = record_elsewhere(request);
    if (!record || request.forwarded) co_return wire::Payload::of(Value());
    const std::string owner = record->registry;
    request.instance = record->instance.to_string();
    request.forwarded = true;
    for (const auto& follower : followers) {
      if (!follower->up() || follower->registry() != owner) continue;
      calls::CallOptions call;
      call.timeout = kForwardTimeout;
      co_return co_await peer.call_at(follower->endpoint(), "registry.deregister", wire::Payload::of(request), call);
    }
    co_return Error(codes::no_registry,
                    "instance " + request.instance + " is registered at the registry of host '" + owner +
                        "', which cannot be reached from '" + book.host() + "'",
                    "ask that registry, or wait until the lease of the instance ends");
  }

  // ---- what peers publish

  void on_own_changes(const events::Event& event) {
    auto changes = event.payload.as<wire::Changes>();
    if (!changes) return log.warn("changes of a peer cannot be read", {{"error", changes.error().message}});
    const auto followed = book.apply(*changes);
    if (followed == Book::Followed::yes) return changed();
    for (const auto& follower : followers) {
      const Replica* replica = book.replica(follower->registry());
      const bool its = replica != nullptr && replica->term() == changes->term;
      // an unknown term may be that of any peer that has just begun anew
      if (its || (followed == Book::Followed::unknown && follower->up())) follower->wake();
    }
  }

  // ---- changes: stored, then published, then acknowledged, all of a turn together

  void changed() {
    if (!book.changed() || std::exchange(flush_scheduled, true)) return;
    loop.at_turn_end([this, alive = std::weak_ptr<int>(life)] {
      if (alive.expired()) return;
      flush_scheduled = false;
      flush();
    });
  }

  /// Resolves when what changed before is in the store, or the store is broken and health says so.
  Completion<bool> written() {
    Completion<bool> done;
    waiting.push_back(done.completer());
    changed();
    return done;
  }

  void flush() {
    const auto out = book.flush();
    if (!out.empty()) snapshot_payload.reset();
    save(out.kept);
    for (const auto& changes : out.own) publish(wire::kOwnTopic, changes);
    for (const auto& changes : out.all) {
      meters.follow(changes);
      publish(wire::kChangesTopic, changes);
    }
    meters.measure(book);
    for (auto& completer : std::exchange(waiting, {})) completer.complete(true);
  }

  void publish(std::string_view topic, const wire::Changes& changes) {
    auto sent = peer.publish(topic, wire::Payload::of(changes));
    if (!sent) log.error("changes were not published", sent.error());  // whoever misses them takes a snapshot
  }

  void save(const std::vector<Book::Kept>& kept) {
    if (store_timer.running()) return;  // it is broken, and tried again in a while
    const bool was_behind = keeper.behind();
    if (auto saved = keeper.save(book, kept); !saved) return store_failed(saved.error());
    if (was_behind) health.set("store", true);
    store_error.clear();
  }

  void store_failed(const Error& error) {
    meters.store_errors.add();
    log.error("the store failed; serving from memory", error);
    health.set("store", false, error.message);
    if (store_error.empty())
      bus.report(Severity::critical, codes::store_failed, "the registry serves from memory: {why}", error.message);
    store_error = "the store failed, serving from memory: " + error.message;
    store_timer.start(kStoreRetry, [this] { save({}); });
  }

  // ---- time

  void schedule_tick() {
    const Duration wait = std::max<Duration>(book.next_due() - loop.now(), 1ms);
    tick_timer.start(wait, [this] {
      tick();
      schedule_tick();
    });
  }

  void tick() {
    const wire::RenewRequest own{options.peer.instance, self_epoch, own_health(), store_error};
    if (!book.renew(own)) {
      if (auto entered = enter_self(); !entered) log.error("this registry cannot list itself", entered.error());
    }
    book.tick();
    changed();
    meters.measure(book);
  }

  Loop& loop;
  Options options;
  observe::Metrics& metrics;
  observe::Log& log;
  observe::Health& health;
  peer::Peer peer;
  Book book;
  Keeper keeper;
  Meters meters;
  BusReporter bus;
  std::uint64_t self_epoch = 0;
  std::string store_error;  ///< empty: it works
  bool flush_scheduled = false;
  std::optional<wire::Payload> snapshot_payload;  // of the whole mesh, until it changes
  std::vector<Completion<bool>::Completer> waiting;
  Timer tick_timer, store_timer;
  std::vector<std::unique_ptr<Follower>> followers;
  events::Subscription own_changes;
  TaskScope tasks;
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Registry::Registry(Loop& loop, net::Context& context, Options options, OpenStore open_store, Random& random,
                   observe::Metrics& metrics, observe::Log& log, observe::Health& health)
    : impl_(std::make_unique<Impl>(loop, context, std::move(options), std::move(open_store), random, metrics, log,
                                   health)) {}
Registry::~Registry() = default;

Result<void> Registry::start() { return impl_->start(); }

void Registry::stop() {
  auto& i = *impl_;
  i.tick_timer.stop();
  i.followers.clear();
  i.book.leave({i.options.peer.instance.to_string(), "", "stopped"});
  i.flush();
  i.peer.start_draining();
  i.peer.flush();
}

peer::Peer& Registry::peer() noexcept { return impl_->peer; }

io::HttpResponse Registry::agents_page(const io::HttpRequest& request) const {
  return json_response(agents_json(impl_->book.view(), query_of(request, "agent"), query_of(request, "host")));
}

io::HttpResponse Registry::http_sd_page(const io::HttpRequest&) const {
  return json_response(http_sd_json(impl_->book.view(), impl_->book.host()));
}

}  // namespace weft::registry
