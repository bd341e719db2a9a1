#include "weft/queue/backlog.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::queue;

namespace {

struct Fixture {
  ManualClock clock;
  Rules rules;
  std::unique_ptr<Backlog> backlog = std::make_unique<Backlog>(rules);

  void use(Rules other) { backlog = std::make_unique<Backlog>(rules = std::move(other)); }
  Result<Entry*> push(const std::string& name, Priority priority = Priority::normal, const std::string& key = {}) {
    Entry entry;
    entry.priority = priority;
    entry.key = key;
    entry.payload = wire::Payload::raw(name);
    return backlog->push(std::move(entry));
  }
  std::string name(const Entry& entry) { return std::string(entry.payload.text()); }
  Entry& give() {
    Entry* next = backlog->next();
    REQUIRE(next);
    backlog->give(*next, "worker", clock.now());
    return *next;
  }
  Backlog::Verdict finish(Entry& entry, Outcome outcome) {
    Attempt attempt;
    attempt.number = static_cast<std::uint32_t>(entry.attempts.size() + 1);
    const auto verdict =
        backlog->finish(entry, outcome, attempt, clock.now(), backlog->rest_after(entry.attempts.size() + 1));
    if (verdict != Backlog::Verdict::again) (void)backlog->take(entry);
    return verdict;
  }
  std::string drain() {
    std::string order;
    while (Entry* next = backlog->next()) {
      order += name(*next);
      backlog->give(*next, "worker", clock.now());
      REQUIRE(finish(*next, Outcome::done) == Backlog::Verdict::done);
    }
    return order;
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "an empty queue has nothing to give") {
  CHECK_FALSE(backlog->next());
  CHECK(backlog->ready() == 0);
  CHECK_FALSE(backlog->next_wake());
  CHECK_FALSE(backlog->oldest());
}

TEST_CASE_METHOD(Fixture, "high goes before normal before low, first in first out within each") {
  (void)push("e", Priority::low);
  (void)push("c");
  (void)push("a", Priority::high);
  (void)push("f", Priority::low);
  (void)push("d");
  (void)push("b", Priority::high);
  CHECK(backlog->waiting(Priority::low) == 2);
  CHECK(drain() == "abcdef");
  CHECK(backlog->size() == 0);
  CHECK(backlog->bytes() == 0);
}

TEST_CASE_METHOD(Fixture, "an item that nobody began, or whose worker died, goes back to the head of its lane") {
  (void)push("a");
  (void)push("b");
  Entry& a = give();
  CHECK(finish(a, Outcome::not_begun) == Backlog::Verdict::again);
  CHECK(a.attempts.empty());
  CHECK(&give() == &a);
  CHECK(finish(a, Outcome::unknown) == Backlog::Verdict::again);
  CHECK(a.attempts.size() == 1);
  CHECK(drain() == "ab");
}

TEST_CASE_METHOD(Fixture, "an item whose handler failed rests, longer each time, while others go on") {
  (void)push("a");
  (void)push("b");
  CHECK(finish(give(), Outcome::failed) == Backlog::Verdict::again);
  CHECK(drain() == "b");
  REQUIRE(backlog->next_wake());
  CHECK(*backlog->next_wake() == clock.now() + rules.retry_delay);
  clock.advance(rules.retry_delay - 1ns);
  backlog->wake(clock.now());
  CHECK_FALSE(backlog->next());
  clock.advance(1ns);
  backlog->wake(clock.now());
  CHECK(name(give()) == "a");
  CHECK(backlog->rest_after(2) == 2 * rules.retry_delay);
  CHECK(backlog->rest_after(100) == 30s);
}

TEST_CASE_METHOD(Fixture, "after the last attempt an item is given up, with all its attempts") {
  Rules three;
  three.attempts = 3;
  three.retry_delay = 0s;
  use(three);
  (void)push("a");
  CHECK(finish(give(), Outcome::failed) == Backlog::Verdict::again);
  CHECK(finish(give(), Outcome::unknown) == Backlog::Verdict::again);
  Entry& third = give();
  CHECK(backlog->finish(third, Outcome::failed, Attempt{}, clock.now(), 0s) == Backlog::Verdict::dead);
  const auto dead = backlog->take(third);
  CHECK(dead->attempts.size() == 3);
  CHECK(backlog->size() == 0);
  CHECK(backlog->given() == 0);
}

TEST_CASE_METHOD(Fixture, "what can never be done is given up at once") {
  (void)push("a");
  CHECK(finish(give(), Outcome::invalid) == Backlog::Verdict::dead);
}

TEST_CASE_METHOD(Fixture, "at most once: only what nobody began is given again") {
  Rules once;
  once.delivery = Delivery::at_most_once;
  use(once);
  for (const auto outcome : {Outcome::failed, Outcome::unknown, Outcome::invalid}) {
    (void)push("a");
    CHECK(finish(give(), outcome) == Backlog::Verdict::dead);
  }
  (void)push("b");
  CHECK(finish(give(), Outcome::not_begun) == Backlog::Verdict::again);
  CHECK(drain() == "b");
}

TEST_CASE_METHOD(Fixture, "a full queue refuses, and says by what it is full") {
  Rules small;
  small.items_max = 2;
  use(small);
  REQUIRE(push("a"));
  REQUIRE(push("b"));
  const auto items = push("c");
  REQUIRE_FALSE(items);
  CHECK(items.error().is(codes::queue_full));
  CHECK(items.error().kind == ErrorKind::overloaded);
  CHECK(items.error().message.find("queues.items_max") != std::string::npos);
  (void)give();
  CHECK_FALSE(push("c"));  // what is given is not finished

  small = {};
  small.bytes_max = 2 * Entry::kOverhead + 10;
  use(small);
  REQUIRE(push("12345"));
  REQUIRE(push("12345"));
  const auto bytes = push("1");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().message.find("queues.bytes_max") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "items of one key are given one after another, in their order") {
  (void)push("a", Priority::normal, "k");
  (void)push("b", Priority::high, "k");
  (void)push("c");
  Entry& a = give();
  CHECK(name(a) == "a");
  Entry& c = give();
  CHECK(name(c) == "c");
  CHECK_FALSE(backlog->next());  // b waits for a
  CHECK(finish(a, Outcome::unknown) == Backlog::Verdict::again);
  CHECK(name(give()) == "a");
  CHECK(finish(a, Outcome::done) == Backlog::Verdict::done);
  CHECK(name(give()) == "b");
}

TEST_CASE_METHOD(Fixture, "what a former process had accepted comes back whatever the limits") {
  Rules small;
  small.items_max = 1;
  use(small);
  Entry entry;
  entry.payload = wire::Payload::raw("a");
  (void)backlog->restore(entry);
  entry.payload = wire::Payload::raw("b");
  (void)backlog->restore(entry);
  CHECK_FALSE(push("c"));
  CHECK(drain() == "ab");
}
