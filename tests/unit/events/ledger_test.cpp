#include "weft/events/ledger.hpp"

#include <map>
#include <random>

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::events;

namespace {

struct Fixture {
  std::map<Drop, std::uint64_t> told;
  Ledger ledger{Ledger::Limits{3, 2},
                [this](std::uint64_t, Drop reason, std::uint64_t count) { told[reason] += count; }};
  TimePoint now{};
  Ledger::Stream& stream(std::string_view topic = "t", std::uint64_t sender = 1) {
    return ledger.stream(sender, topic, now);
  }
  Ledger::Taken take(std::uint64_t sequence) { return ledger.take(stream(), 1, sequence, now); }
  static std::uint64_t count(const Ledger::Stream& of, Drop reason) {
    return of.dropped[static_cast<std::size_t>(reason)];
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "where a publisher told nothing, the account begins with its first event") {
  CHECK(take(41).missed == 0);
  CHECK(take(42).missed == 0);
  CHECK(stream().sent == 2);
  CHECK(take(45).missed == 2);
  CHECK(stream().sent == 5);
  CHECK(stream().received == 3);
  CHECK(stream().unexplained() == 2);
}

TEST_CASE_METHOD(Fixture, "where all topics were told, another one begins at 1") {
  ledger.stands_at(stream("a"), 1, 7, {});
  ledger.told(1, *TopicPattern::parse("#"), now);
  CHECK(ledger.take(stream("a"), 1, 9, now).missed == 1);
  CHECK(ledger.take(stream("b"), 1, 3, now).missed == 2);
  CHECK(ledger.take(stream("b", 2), 2, 3, now).missed == 0);  // another publisher
}

TEST_CASE_METHOD(Fixture, "a heartbeat settles losses by their reason, and the next event says what it found lost") {
  ledger.stands_at(stream(), 1, 0, {});
  (void)take(1);
  (void)take(4);
  (void)take(8);
  ledger.heartbeat(stream(), 1, 10, {5});
  CHECK(count(stream(), Drop::hwm) == 3);
  CHECK(count(stream(), Drop::gap) == 4);
  CHECK(stream().unexplained() == 0);
  CHECK(stream().sent == 10);
  CHECK(take(11).missed == 2);
  CHECK(take(12).missed == 0);
}

TEST_CASE_METHOD(Fixture, "at the limit of open losses the oldest counts as a gap") {
  ledger.stands_at(stream(), 1, 0, {});
  for (const std::uint64_t sequence : {2U, 5U, 9U}) (void)take(sequence);
  CHECK(count(stream(), Drop::gap) == 1);
  CHECK(stream().unexplained() == 5);
}

TEST_CASE_METHOD(Fixture, "what comes late or twice is told apart and received once") {
  ledger.stands_at(stream(), 1, 0, {});
  (void)take(5);
  CHECK(take(3).verdict == Ledger::Verdict::late);
  CHECK(take(3).verdict == Ledger::Verdict::repeated);
  CHECK(take(5).verdict == Ledger::Verdict::repeated);
  CHECK(stream().received == 1);
  CHECK(stream().repeated == 2);
  CHECK(count(stream(), Drop::reordered) == 1);
  CHECK(stream().unexplained() == 3);
}

TEST_CASE_METHOD(Fixture, "while nothing is subscribed to there are no gaps, nor while it is not known from where on") {
  (void)take(1);
  ledger.told(1, *TopicPattern::parse("t"), now);
  ledger.closed(
      *TopicPattern::parse("t"), [](std::string_view) { return false; }, now);
  (void)take(2);  // was under way
  CHECK(take(20).missed == 0);
  ledger.stands_at(stream(), 1, 22, {});
  CHECK(take(23).missed == 0);
  CHECK(take(25).missed == 1);
  CHECK(stream().sent == 6);
  CHECK(stream().received == 5);
}

TEST_CASE_METHOD(Fixture, "a publisher that never tells is followed again from its next event on") {
  (void)take(1);
  ledger.closed(
      *TopicPattern::parse("t"), [](std::string_view) { return false; }, now);
  now += 3s;
  CHECK(take(9).missed == 0);
  CHECK(take(11).missed == 1);
}

TEST_CASE_METHOD(Fixture, "at the limit of streams the publisher that was silent for longest is forgotten") {
  (void)ledger.take(stream("a", 1), 1, 1, now);
  now += 1s;
  (void)ledger.take(stream("a", 2), 2, 1, now);
  now += 1s;
  (void)ledger.take(stream("a", 3), 3, 1, now);
  const auto before = ledger.generation();
  (void)ledger.take(stream("b", 3), 3, 1, now);
  CHECK(ledger.generation() != before);
  CHECK(ledger.find(1, "a") == nullptr);
  CHECK(ledger.find(2, "a") != nullptr);
}

TEST_CASE_METHOD(Fixture, "any loss and any order add up: sent is received, dropped and unexplained") {
  std::mt19937 random(11);
  ledger.stands_at(stream(), 1, 0, {});
  std::vector<std::uint64_t> held;
  std::uint64_t lost = 0;
  for (std::uint64_t sequence = 1; sequence <= 20'000; ++sequence) {
    const auto luck = random() % 100;
    if (luck == 0) {
      ++lost;
    } else if (luck == 1) {
      held.push_back(sequence);
    } else {
      (void)take(sequence);
    }
    if (luck == 2 && !held.empty()) {
      (void)take(held.back());
      held.pop_back();
    }
    if (luck == 3) ledger.heartbeat(stream(), 1, sequence, {});
  }
  ledger.heartbeat(stream(), 1, 20'000, {});
  std::uint64_t dropped = 0;
  for (const auto& [reason, count] : told) dropped += count;
  CHECK(lost > 100);
  CHECK(stream().sent == 20'000);
  CHECK(stream().unexplained() == 0);
  CHECK(stream().received + dropped == 20'000);
  CHECK(told[Drop::gap] >= lost + held.size());
}
