// Random interleavings of everything that can happen to a few registries, agents and the network between them, against
// a simple model. Each seed replays exactly.
#include <array>
#include <set>

#include "registry/keeper.hpp"
#include "tests/unit/registry/fixture.hpp"

using namespace weft;
using namespace weft::test;
using registry::Book;

namespace {

constexpr std::size_t kHosts = 3;
const std::array<std::string, kHosts> kNames{"alpha", "beta", "gamma"};

/// A live agent as the model knows it: which registry acknowledged it last, and under which epoch.
struct Living {
  InstanceRecord record;
  std::size_t registry = 0;
  std::uint64_t epoch = 0;
  std::string text() const {
    return record.instance.to_string() + "/" + kNames[registry] + "/" + std::to_string(epoch);
  }
};

class Borrowed final : public store::Store {
 public:
  explicit Borrowed(store::Store& inner) : inner_(inner) {}
  Result<std::vector<Entry>> list(std::string_view prefix) override { return inner_.list(prefix); }
  Result<void> apply(const std::vector<Change>& changes) override { return inner_.apply(changes); }

 private:
  store::Store& inner_;
};

struct Host {
  std::unique_ptr<store::Store> disk = store::open_memory();  // outlives its registry
  std::unique_ptr<Book> book;
  std::unique_ptr<registry::Keeper> keeper;
};

struct World {
  explicit World(std::uint64_t seed) : random(seed) {
    for (std::size_t i = 0; i < kHosts; ++i) start(i);
  }

  Random random;
  ManualClock clock;
  std::array<Host, kHosts> hosts;
  std::array<std::array<bool, kHosts>, kHosts> cut{};
  std::vector<Living> living;
  std::uint64_t last_number = 0, resyncs = 0;

  std::size_t any_host() { return random.below(kHosts); }

  /// A registry begins, with what its disk holds.
  void start(std::size_t i) {
    Host& host = hosts[i];
    host.book = std::make_unique<Book>(clock, table_options(kNames[i]), Ulid::make(clock.wall(), random));
    host.keeper = std::make_unique<registry::Keeper>([&host]() -> Result<store::Opened> {
      return store::Opened{std::make_unique<Borrowed>(*host.disk), ""};
    });
    REQUIRE(host.keeper->load(*host.book));
  }
  std::vector<wire::Changes> flush(std::size_t from) {
    auto out = hosts[from].book->flush();
    REQUIRE(hosts[from].keeper->save(*hosts[from].book, out.kept));
    return std::move(out.own);
  }
  /// Publishes what changed; each delta to each peer may be lost.
  void publish(std::size_t from, unsigned loss_percent) {
    for (const auto& changes : flush(from)) {
      for (std::size_t to = 0; to < kHosts; ++to) {
        if (to == from || cut[from][to] || random.below(100) < loss_percent) continue;
        if (hosts[to].book->apply(changes) == Book::Followed::gap) resync(from, to);
      }
    }
  }
  void resync(std::size_t from, std::size_t to) {
    ++resyncs;
    publish(from, 100);
    REQUIRE(hosts[to].book->replace(hosts[from].book->own_snapshot()));
  }
  /// What a link does each third of a lease: is the peer there, and where does it stand?
  void beat(std::size_t from, std::size_t to) {
    if (from == to || cut[from][to]) return;
    const auto position = hosts[from].book->own_position();
    const auto* replica = hosts[to].book->replica(kNames[from]);
    if (replica == nullptr || replica->term() != position.term || replica->sequence() != position.sequence)
      return resync(from, to);
    hosts[to].book->heard(kNames[from]);
  }

  /// The agent asks its registry; a refusal is a failure, as the newest of a slot is never fenced.
  void enter(Living& one, std::size_t at) {
    one.record.epoch = one.epoch;
    const auto entered = hosts[at].book->enter(one.record);
    REQUIRE(entered);
    REQUIRE(entered->epoch > one.epoch);
    one.registry = at;
    one.epoch = entered->epoch;
    publish(at, 10);  // nothing is acknowledged before it is stored
  }
  void spawn() {
    const std::size_t home = any_host(), at = random.below(10) == 0 ? any_host() : home;
    Living fresh{record_of(++last_number, "agent" + std::to_string(random.below(4)), kNames[home]), at, 0};
    std::erase_if(living, [&](const Living& one) { return one.record.slot == fresh.record.slot; });  // it is fenced
    enter(fresh, at);
    living.push_back(fresh);
  }
  void stop_one() {
    if (living.empty()) return;
    const auto it = living.begin() + static_cast<std::ptrdiff_t>(random.below(living.size()));
    if (random.below(2) == 0) {
      auto& book = *hosts[it->registry].book;
      const bool known = book.table().find(it->record.instance) != nullptr;
      CHECK(book.leave({it->record.instance.to_string(), "", ""}) == known);
    }
    living.erase(it);
  }
  void move_one() {
    if (!living.empty()) enter(living[random.below(living.size())], any_host());
  }
  void renew(Living& one) {
    const auto renewed = hosts[one.registry].book->renew({one.record.instance, one.epoch, {}, ""});
    if (renewed) return;
    REQUIRE(renewed.error().is(codes::unknown_instance));
    enter(one, one.registry);
  }
  void cut_or_heal() {
    const std::size_t a = any_host(), b = any_host();
    cut[a][b] = cut[b][a] = random.below(3) == 0;
  }
  void step() {
    const auto what = random.below(40);
    if (what < 6) return spawn();
    if (what < 10) return stop_one();
    if (what < 13) return move_one();
    if (what < 16) return cut_or_heal();
    if (what < 17) return start(any_host());
    pass(200ms, 10);
  }
  /// Time passes: agents renew, registries tick, publish and beat.
  void pass(Duration by, unsigned loss_percent) {
    clock.advance(by);
    for (auto& one : living) renew(one);
    for (std::size_t i = 0; i < kHosts; ++i) {
      hosts[i].book->tick();
      publish(i, loss_percent);
    }
    if (random.below(5) != 0 && loss_percent > 0) return;
    for (std::size_t a = 0; a < kHosts; ++a)
      for (std::size_t b = 0; b < kHosts; ++b) beat(a, b);
  }
  void heal_and_settle() {
    cut = {};
    for (int i = 0; i < 20; ++i) pass(200ms, 0);
  }
  std::set<std::string> expected() const {
    std::set<std::string> all;
    for (const auto& one : living) all.insert(one.text());
    return all;
  }
  static std::set<std::string> seen_by(const Book& book) {
    std::set<std::string> all;
    book.view().each([&](const InstanceRecord& record) {
      all.insert(record.instance.to_string() + "/" + record.registry + "/" + std::to_string(record.epoch));
    });
    return all;
  }
};

}  // namespace

TEST_CASE("after any history, when the network heals, every registry sees exactly the living instances") {
  std::uint64_t resyncs = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    World world(seed);
    for (int i = 0; i < 200; ++i) world.step();
    world.heal_and_settle();
    for (const auto& host : world.hosts) {
      INFO("seed " << seed << ", registry " << host.book->host());
      CHECK(World::seen_by(*host.book) == world.expected());
    }
    resyncs += world.resyncs;
  }
  CHECK(resyncs > 100);  // the histories were worth it
}

TEST_CASE("dropping any one delta leads to a resync, and to the same records") {
  constexpr std::size_t kDeltas = 12;
  for (std::size_t dropped = 0; dropped < kDeltas; ++dropped) {
    ManualClock clock;
    Book alpha(clock, table_options("alpha"), id_of(1)), beta(clock, table_options("beta"), id_of(2));
    REQUIRE(beta.replace(alpha.own_snapshot()));
    std::size_t gaps = 0;
    for (std::size_t n = 0; n < kDeltas; ++n) {
      REQUIRE(alpha.enter(record_of(n + 1, "agent" + std::to_string(n % 5))));
      for (const auto& changes : alpha.flush().own) {
        if (n == dropped || beta.apply(changes) != Book::Followed::gap) continue;
        ++gaps;
        REQUIRE(beta.replace(alpha.own_snapshot()));
      }
    }
    // the last one is noticed by the beat, which compares positions
    const bool behind = beta.replica("alpha")->sequence() != alpha.own_position().sequence;
    CHECK(gaps + (behind ? 1U : 0U) == 1);
    if (behind) REQUIRE(beta.replace(alpha.own_snapshot()));
    CHECK(beta.snapshot().records == alpha.snapshot().records);
  }
}
