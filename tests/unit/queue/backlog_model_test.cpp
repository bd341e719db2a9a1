// The backlog against a naive model: a list that is searched, under random pushes, gifts and outcomes.
#include <algorithm>
#include <list>

#include "tests/support/catch.hpp"
#include "weft/queue/backlog.hpp"

using namespace weft;
using namespace weft::queue;

namespace {

struct Item {
  int number;
  Priority priority;
  std::string key;
  std::size_t failures = 0;
  bool given = false;
  TimePoint ready{};
};

struct World {
  explicit World(std::uint64_t seed) : random(seed) {
    rules.items_max = 20;
    rules.attempts = 1 + random.below(4);
    rules.delivery = random.below(2) == 0 ? Delivery::at_least_once : Delivery::at_most_once;
    backlog = std::make_unique<Backlog>(rules);
  }

  /// Of the highest priority the first that may be given.
  Item* expected() {
    Item* best = nullptr;
    for (auto& item : model) {
      const bool behind = !item.key.empty() && std::any_of(model.begin(), model.end(), [&](const Item& other) {
        return other.key == item.key && other.number < item.number;
      });
      if (item.given || behind || item.ready > clock.now()) continue;
      if (!best || item.priority < best->priority) best = &item;
    }
    return best;
  }

  void push() {
    Entry entry;
    entry.priority = static_cast<Priority>(random.below(3));
    if (random.below(3) == 0) entry.key = std::string(1, static_cast<char>('a' + random.below(3)));
    entry.payload = wire::Payload::raw(std::to_string(++last));
    Item item{last, entry.priority, entry.key};
    const bool full = model.size() >= rules.items_max;
    const auto pushed = backlog->push(std::move(entry));
    REQUIRE(pushed.has_value() == !full);
    if (pushed) model.push_back(item);
  }

  void give() {
    Item* item = expected();
    Entry* entry = backlog->next();
    REQUIRE((item != nullptr) == (entry != nullptr));
    if (!item) return;
    REQUIRE(entry->payload.text() == std::to_string(item->number));
    REQUIRE(entry->attempts.size() == item->failures);
    backlog->give(*entry, "w", clock.now());
    item->given = true;
    under_way.push_back({item->number, entry->sequence});
  }

  void finish() {
    if (under_way.empty()) return;
    const auto at = under_way.begin() + static_cast<std::ptrdiff_t>(random.below(under_way.size()));
    const auto [number, sequence] = *at;
    under_way.erase(at);
    const auto item =
        std::find_if(model.begin(), model.end(), [n = number](const Item& one) { return one.number == n; });
    Entry* entry = backlog->find(sequence);
    REQUIRE(entry);
    const auto outcome = static_cast<Outcome>(random.below(5));
    const Duration rest = backlog->rest_after(item->failures + 1);
    const auto verdict = backlog->finish(*entry, outcome, Attempt{}, clock.now(), rest);
    const bool counts = outcome != Outcome::not_begun && outcome != Outcome::done;
    if (counts) ++item->failures;
    const bool dead = counts && (outcome == Outcome::invalid || rules.delivery == Delivery::at_most_once ||
                                 item->failures >= rules.attempts);
    REQUIRE((verdict == Backlog::Verdict::done) == (outcome == Outcome::done));
    REQUIRE((verdict == Backlog::Verdict::dead) == dead);
    if (verdict != Backlog::Verdict::again) {
      REQUIRE(backlog->take(*entry)->payload.text() == std::to_string(number));
      model.erase(item);
    } else {
      item->given = false;
      item->ready = outcome == Outcome::failed ? clock.now() + rest : clock.now();
    }
  }

  void step() {
    switch (random.below(4)) {
      case 0:
        return push();
      case 1:
        return give();
      case 2:
        return finish();
      default:
        clock.advance(std::chrono::milliseconds(random.below(300)));
        backlog->wake(clock.now());
    }
  }

  void check() {
    REQUIRE(backlog->size() == model.size());
    REQUIRE(backlog->given() == under_way.size());
    const auto waiting =
        backlog->waiting(Priority::high) + backlog->waiting(Priority::normal) + backlog->waiting(Priority::low);
    REQUIRE(waiting + backlog->given() == model.size());
  }

  Random random;
  ManualClock clock;
  Rules rules;
  std::unique_ptr<Backlog> backlog;
  std::list<Item> model;
  std::vector<std::pair<int, std::uint64_t>> under_way;
  int last = 0;
};

}  // namespace

TEST_CASE("under any history the next item is the one that a naive model names, and none is lost or given twice") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (int i = 0; i < 500; ++i) {
      world.step();
      world.check();
    }
  }
}
