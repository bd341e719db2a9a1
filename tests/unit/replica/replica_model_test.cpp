// Many random histories: changes, losses, restarts, and snapshots whose parts come as late as they like. Whatever
// happened, each replica that says it is synced has what its owner had at that message.
#include <deque>

#include "tests/unit/replica/fixture.hpp"

using namespace weft;
using test::Copy, test::Contents, test::contents;

namespace {

struct World : test::Fixture {
  /// A replica, and what is on its way to it.
  struct Follower {
    Copy copy;
    std::deque<replica::Changes> heard;
    std::uint64_t attempt = 0;
    bool taking = false;
    std::string last;
    std::deque<replica::SnapshotPart> parts;
    std::optional<replica::SnapshotEnd> end;
  };
  std::map<std::pair<Ulid, std::uint64_t>, Contents> history;  // by owner and sequence
  std::deque<Follower> followers{3};
  std::size_t compared = 0;

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random.next() % limit); }
  void note() { history[{owner_id, owner.sequence()}] = contents(owner.table()); }
  void change() {
    const std::string key(1, static_cast<char>('a' + below(12)));
    if (below(3) == 0)
      owner.erase(key);
    else
      set(key, static_cast<std::int64_t>(random.next() % 1000));
    note();
  }
  void publish(std::size_t loss) {
    for (const auto& message : told()) {
      for (auto& one : followers) {
        if (loss == 0 || below(loss) != 0) one.heard.push_back(message);
      }
    }
  }
  void step_snapshot(Follower& one) {
    auto& table = one.copy.table;
    if (!one.taking) {
      if (!table.wants_snapshot() || table.owner() != owner_id) return;
      one.taking = true;
      one.attempt = table.begin();
      one.last.clear();
      one.parts.clear();
      one.end.reset();
    }
    if (!one.end && below(2) == 0) {  // the owner writes the next two entries
      auto part = owner.part_after(one.last, now());
      if (part.entries.size() > 2) part.entries.resize(2);
      if (part.entries.empty()) {
        one.end = owner.end();
      } else {
        one.last = part.entries.back().key;
        one.parts.push_back(std::move(part));
      }
      return;
    }
    Result<void> taken;
    if (!one.parts.empty()) {
      taken = table.take(one.attempt, one.parts.front(), now());
      one.parts.pop_front();
    } else if (one.end) {
      taken = table.finish(one.attempt, *one.end, now());
      one.taking = false;
    }
    if (taken) return;
    table.give_up(one.attempt);
    one.taking = false;
  }
  void step(Follower& one) {
    if (!one.heard.empty() && below(2) == 0) {
      const auto message = one.heard.front();
      one.heard.pop_front();
      one.copy.table.hear(message, now());
      if (one.copy.table.synced(now())) compare(one, message);
    }
    step_snapshot(one);
  }
  void compare(const Follower& one, const replica::Changes& message) {
    ++compared;
    const auto was = history.find({message.owner, message.sequence});
    REQUIRE(was != history.end());
    REQUIRE(contents(one.copy.table.table()) == was->second);
  }
};

}  // namespace

TEST_CASE("in any history a replica that says it is synced has exactly what its owner had") {
  std::size_t compared = 0, gaps = 0, snapshots = 0, restarts = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    World world;
    world.random = Random(seed);
    world.note();
    INFO("seed " << seed);
    for (int i = 0; i < 1500; ++i) {
      const auto what = world.below(100);
      if (what < 30) world.change();
      if (what < 40) world.publish(20);
      if (what == 99 && world.below(10) == 0) {
        for (auto& one : world.followers) one.taking = false;  // its process, and its streams, are gone
        for (auto& one : world.followers) one.copy.table.give_up(one.attempt);
        world.restart();
        world.note();
      }
      for (auto& one : world.followers) world.step(one);
    }
    for (int i = 0; i < 500; ++i) {  // nothing is lost any more
      world.publish(0);
      for (auto& one : world.followers)
        for (int n = 0; n < 20; ++n) world.step(one);
    }
    for (auto& one : world.followers) {
      REQUIRE(one.copy.table.synced(world.now()));
      REQUIRE(contents(one.copy.table.table()) == contents(world.owner.table()));
      gaps += one.copy.table.counts().gaps;
      snapshots += one.copy.table.counts().snapshots;
      restarts += one.copy.table.counts().restarts;
    }
    compared += world.compared;
  }
  CHECK(compared > 10'000);
  CHECK(gaps > 300);
  CHECK(snapshots > 300);
  CHECK(restarts > 30);
}
