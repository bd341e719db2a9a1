#include "weft/queue/slots.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::queue;

namespace {

struct Fixture {
  ManualClock clock;
  std::map<std::string, std::uint64_t> grant(Slots& slots) {
    std::map<std::string, std::uint64_t> out;
    for (const auto& [producer, items] : slots.grant(clock.now())) out[producer] = items;
    return out;
  }
  Slots::Ticket start(Slots& slots, const std::string& producer, Duration limit = 1h) {
    REQUIRE(slots.arrived(producer, clock.now()));
    return slots.take(producer, clock.now() + limit);
  }
};
using Shares = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE_METHOD(Fixture, "nobody who offers gets nothing; one who does gets what it has, up to what is free") {
  Slots slots(4);
  CHECK(grant(slots).empty());
  slots.offer("a", 3);
  CHECK(grant(slots) == Shares{{"a", 3}});
  slots.offer("a", 3);
  CHECK(grant(slots) == Shares{{"a", 1}});
  CHECK(grant(slots).empty());
}

TEST_CASE_METHOD(Fixture, "capacity is shared fairly, whoever came first") {
  Slots slots(6);
  slots.offer("a", 100);
  slots.offer("b", 100);
  slots.offer("c", 1);
  CHECK(grant(slots) == Shares{{"a", 3}, {"b", 2}, {"c", 1}});
}

TEST_CASE_METHOD(Fixture, "a slot that becomes free goes to the producer that has the fewest") {
  Slots slots(2);
  slots.offer("a", 100);
  CHECK(grant(slots) == Shares{{"a", 2}});
  const auto first = start(slots, "a");
  (void)start(slots, "a");
  slots.offer("b", 100);
  CHECK(grant(slots).empty());
  slots.finished(first);
  CHECK(grant(slots) == Shares{{"b", 1}});
}

TEST_CASE_METHOD(Fixture, "with one slot two producers take turns") {
  Slots slots(1);
  std::string order;
  for (int i = 0; i < 6; ++i) {
    slots.offer("a", 10);
    slots.offer("b", 10);
    const auto shares = grant(slots);
    REQUIRE(shares.size() == 1);
    order += shares.begin()->first;
    slots.finished(start(slots, shares.begin()->first));
  }
  CHECK(order == "ababab");
}

TEST_CASE_METHOD(Fixture, "what is given back, withdrawn or not used in time is free again") {
  Slots slots(2);
  slots.offer("a", 2);
  CHECK(grant(slots) == Shares{{"a", 2}});
  slots.offer("b", 2);
  slots.give_back("a", 1);
  CHECK(grant(slots) == Shares{{"b", 1}});
  clock.advance(Slots::kReserved - 1ns);
  CHECK(grant(slots).empty());
  clock.advance(1ns);
  CHECK(grant(slots) == Shares{{"b", 1}});
  slots.offer("b", 5);
  slots.offer("b", 0);
  clock.advance(Slots::kReserved);
  CHECK(grant(slots).empty());
  CHECK(slots.reserved() == 0);
}

TEST_CASE_METHOD(Fixture, "an item that comes after its slot was given away has to wait") {
  Slots slots(1);
  slots.offer("a", 1);
  (void)grant(slots);
  clock.advance(Slots::kReserved);
  slots.offer("b", 1);
  CHECK(grant(slots) == Shares{{"b", 1}});
  CHECK_FALSE(slots.arrived("a", clock.now()));
  CHECK(slots.arrived("b", clock.now()));
}

TEST_CASE_METHOD(Fixture, "while an item is past its time limit nothing more is taken") {
  Slots slots(4);
  slots.offer("a", 100);
  (void)grant(slots);
  const auto slow = start(slots, "a", 10s);
  const auto quick = start(slots, "a");
  slots.finished(quick);
  clock.advance(10s);
  slots.offer("a", 100);
  CHECK_FALSE(slots.stuck(clock.now()));
  CHECK(grant(slots) == Shares{{"a", 3}});
  clock.advance(Slots::kReserved);
  CHECK(slots.stuck(clock.now()));
  CHECK(grant(slots).empty());
  slots.finished(slow);
  CHECK(grant(slots) == Shares{{"a", 4}});
}

TEST_CASE_METHOD(Fixture, "under any history no more is granted and running than there are slots") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    Random random(seed);
    Slots slots(1 + random.below(5));
    std::map<std::string, std::uint64_t> granted;
    std::vector<Slots::Ticket> running;
    for (int i = 0; i < 300; ++i) {
      const std::string producer(1, static_cast<char>('a' + random.below(3)));
      switch (random.below(5)) {
        case 0:
          slots.offer(producer, random.below(4));
          break;
        case 1:
          for (const auto& [who, items] : slots.grant(clock.now())) granted[who] += items;
          break;
        case 2:
          if (granted[producer] > 0 && slots.arrived(producer, clock.now())) {
            --granted[producer];
            running.push_back(slots.take(producer, TimePoint::max()));
          }
          break;
        case 3:
          if (!running.empty()) {
            slots.finished(running.back());
            running.pop_back();
          }
          break;
        default:
          slots.give_back(producer, std::exchange(granted[producer], 0));
      }
      REQUIRE(slots.running() == running.size());
      REQUIRE(slots.running() + slots.reserved() <= slots.concurrency());
    }
  }
}
