// Actors over threads: order, spawning, pinning, who is stuck, and what must not grow.
#include <thread>

#include "tests/unit/actor/actors.hpp"

using namespace weft;
using namespace weft::actor;
using namespace weft::actor::test;

namespace {

/// Sends numbers of its own to somebody who keeps them.
struct Begin {
  Address to;
  int from = 0, count = 0;
};
class Sender {
 public:
  using Messages = Handles<Begin>;
  void on(Begin begin, Context& context) {
    for (int i = 0; i < begin.count; ++i) (void)context.send(begin.to, Number{begin.from + i});
  }
};

struct Fork {
  int depth = 0;
};
/// A tree of actors: two below each, to the depth; each tells that it ends.
class Branch {
 public:
  using Messages = Handles<Fork>;
  explicit Branch(std::atomic<int>& ended) : ended_(ended) {}
  ~Branch() { ++ended_; }
  void on(Fork fork, Context& context) {
    for (int i = 0; i < 2 && fork.depth > 0; ++i) {
      auto below = context.spawn<Branch>({}, ended_);
      if (below) (void)context.send(*below, Fork{fork.depth - 1});
    }
  }

 private:
  std::atomic<int>& ended_;
};

struct Where {
  using Reply = std::size_t;
};
class Located {
 public:
  using Messages = Handles<Where, Act>;
  std::size_t on(Where) { return std::hash<std::thread::id>()(std::this_thread::get_id()); }
  void on(const Act& act, Context& context) { act.work(context); }
};

SpawnOptions pinned(unsigned worker) {
  SpawnOptions options;
  options.worker = worker;
  return options;
}

}  // namespace

TEST_CASE("ten thousand messages of eight senders keep the order of each") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  const bool actors = GENERATE(true, false);
  System system(parallel({workers, {}}));
  const auto keeper = system.spawn<Keeper>(mailbox_of(0, Overflow::fail)).value();
  constexpr int kSenders = 8, kEach = 1250;
  std::vector<std::thread> threads;
  for (int i = 0; i < kSenders; ++i) {
    if (actors) {
      const auto sender = system.spawn<Sender>().value();
      for (int part = 0; part < 5; ++part)
        REQUIRE(system.send(sender, Begin{keeper, i * kEach + part * kEach / 5, kEach / 5}));
    } else {
      threads.emplace_back([&system, keeper, i] {
        for (int n = 0; n < kEach; ++n) (void)system.send(keeper, Number{i * kEach + n});
      });
    }
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(eventually([&] { return system.info(keeper)->received == kSenders * kEach; }));
  const auto got = system.ask(keeper, Seen{}).wait(30s).value();
  REQUIRE(got.size() == kSenders * kEach);
  std::vector<int> next(kSenders, 0);
  for (const int number : got) REQUIRE(number % kEach == next[static_cast<std::size_t>(number / kEach)]++);
}

TEST_CASE("trees of actors grow and end over threads, all of them") {
  const unsigned workers = GENERATE(1U, 2U, 4U);
  std::atomic<int> ended{0};
  System system(parallel({workers, {}}));
  for (int round = 0; round < 10; ++round) {
    const auto top = system.spawn<Branch>({}, ended).value();
    REQUIRE(system.send(top, Fork{8}));
    const int all = 511;
    REQUIRE(eventually([&] { return system.totals().actors == all || round % 2 == 1; }));
    system.stop(top);  // in every second round while they still grow
    REQUIRE(eventually([&] { return system.totals().actors == 0; }));
    if (round % 2 == 0) REQUIRE(ended >= all);
  }
  const auto totals = system.totals();
  REQUIRE(totals.spawned == totals.stopped);
  REQUIRE(static_cast<int>(totals.spawned) <= ended);
}

TEST_CASE("hundreds of thousands of actors come and go, and the memory does not grow") {
  constexpr std::uint64_t kRounds = 200;
  std::atomic<std::uint64_t> rounds{0};
  System system(parallel({2, {}}));
  const auto actor = system.spawn<Actor>().value();
  std::function<void(Context&)> round = [&](Context& context) {
    if (system.totals().actors > 5000) return (void)context.send(context.self(), Act{round});  // not too many at once
    std::vector<Ref<Keeper>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(context.spawn<Keeper>().value());
    for (const auto& each : all) (void)context.send(each, Number{1});
    for (const auto& each : all) context.stop(each);
    if (++rounds < kRounds) (void)context.send(context.self(), Act{round});
  };
  REQUIRE(system.send(actor, Act{round}));
  std::uint64_t highest_id = 0;
  REQUIRE(eventually([&] {
    for (const auto& info : system.snapshot(100)) highest_id = std::max(highest_id, info.address.id() >> 32);
    return rounds == kRounds && system.totals().actors == 1;
  }));
  REQUIRE(system.totals().spawned == kRounds * 1000 + 1);
  REQUIRE(highest_id < 20'000);  // cells, of which each served many
}

TEST_CASE("spawning, stopping and sending from several threads at once") {
  System system(parallel({2, {}}));
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&system, &refused, t] {
      std::vector<Ref<Keeper>> mine;
      for (int i = 0; i < 2000; ++i) {
        SpawnOptions options;
        if (i % 10 == 0) options.name = "t" + std::to_string(t) + "/" + std::to_string(i);
        mine.push_back(system.spawn<Keeper>(options).value());
        refused += system.send(mine[static_cast<std::size_t>(i) / 2], Number{i}) ? 0 : 1;
        if (i % 3 == 0) system.stop(mine[static_cast<std::size_t>(i)]);
        if (i % 100 == 0) (void)system.snapshot(100);
      }
      for (const auto& each : mine) system.stop(each);
    });
  }
  for (auto& thread : threads) thread.join();
  REQUIRE(eventually([&] { return system.totals().actors == 0; }));
  REQUIRE(refused < 6000);
  REQUIRE(system.totals().depth == 0);
}

TEST_CASE("a pinned actor stays on its worker, others go where there is time") {
  System system(parallel({3, {}}));
  std::vector<std::size_t> places;
  for (unsigned worker = 0; worker < 3; ++worker) {
    const auto located = system.spawn<Located>(pinned(worker)).value();
    const auto first = system.ask(located, Where{}).wait(30s).value();
    for (int i = 0; i < 50; ++i) REQUIRE(system.ask(located, Where{}).wait(30s).value() == first);
    places.push_back(first);
  }
  std::sort(places.begin(), places.end());
  REQUIRE(std::unique(places.begin(), places.end()) == places.end());
  REQUIRE(system.spawn<Located>(pinned(3)).error().is(codes::bad_value));
  REQUIRE_THROWS_WITH(System(parallel({2, {0}})), Catch::Matchers::Contains("cores"));
  REQUIRE_THROWS_WITH(System(parallel({251, {}})), Catch::Matchers::Contains("workers"));
}

TEST_CASE("an actor that is always ready starves no other beside which it is pinned") {
  std::atomic<bool> over{false};
  std::function<void(Context&)> again = [&](Context& context) {
    if (!over) (void)context.send(context.self(), Act{again});
  };
  System system(parallel({1, {}}));
  const auto busy = system.spawn<Located>(pinned(0)).value();
  REQUIRE(system.send(busy, Act{again}));
  const auto other = system.spawn<Located>(pinned(0)).value();
  const auto free_one = system.spawn<Located>().value();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(system.ask(other, Where{}).wait(30s));
    REQUIRE(system.ask(free_one, Where{}).wait(30s));
  }
  over = true;
}

TEST_CASE("a handler that does not return keeps one worker; the others serve everybody else, timers too") {
  Gate gate;
  System system(parallel({2, {}}));
  const auto stuck = system.spawn<Actor>().value();
  const auto neighbour = system.spawn<Located>().value();
  std::atomic<bool> inside{false};
  REQUIRE(system.send(stuck, Act{[&, neighbour](Context& context) {
                        (void)context.send(neighbour, Act{[](Context&) {}});  // waits behind this on its worker
                        inside = true;
                        gate.wait();
                      }}));
  REQUIRE(eventually([&] { return inside.load(); }));
  for (int i = 0; i < 100; ++i) {
    REQUIRE(system.ask(system.spawn<Located>().value(), Where{}).wait(5s));
    REQUIRE(system.ask(neighbour, Where{}).wait(5s));
  }
  const auto player = system.spawn<Player>().value();
  std::atomic<bool> slept{false};
  REQUIRE(system.send(player, Play{[&slept](Context& context) -> Task<void> {
                        co_await context.sleep(5ms);
                        slept = true;
                      }}));
  REQUIRE(eventually([&] { return slept.load(); }, 5s));
  gate.open();
}

TEST_CASE("idle workers do not run: a system at rest takes no time of the processor") {
  System system(parallel({2, {}}));
  (void)system.ask(system.spawn<Located>().value(), Where{}).wait(30s);
  const auto cpu = [] {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  };
  const double before = cpu();
  (void)::poll(nullptr, 0, 300);  // nothing to wait for is the point
  REQUIRE(cpu() - before < 0.1);
}

TEST_CASE("the end of a system finds actors in all states, on threads, and answers who waits") {
  for (int round = 0; round < 50; ++round) {
    std::vector<Pending<Numbers>> waiting;
    {
      System system(parallel({2, {}}));
      for (int i = 0; i < 20; ++i) {
        const auto player = system.spawn<Player>().value();
        (void)system.send(player, Play{[](Context& context) -> Task<void> { co_await context.sleep(1h); }});
        (void)system.send(player, Number{1});
        (void)system.start<Keeper>({}, {});
        waiting.push_back(system.ask(player, Seen{}));
      }
      (void)system.send(system.start<Keeper>({}, {}).value(), Boom{});
    }
    for (auto& pending : waiting) {
      REQUIRE(pending.ready());
      REQUIRE(pending.wait().error().is(codes::actor_closed));  // behind a handler that sleeps
    }
  }
}
