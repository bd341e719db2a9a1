#include "weft/calls/deadlines.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "tests/support/catch.hpp"

using namespace weft;
using calls::Deadlines;

namespace {
const TimePoint kStart{std::chrono::hours(1)};

struct Ringer : Deadlines::Entry {
  explicit Ringer(int n) : number(n) {}
  int number;
};
std::vector<int> due(Deadlines& wheel, TimePoint now) {
  std::vector<int> rang;
  while (auto* entry = wheel.take_due(now)) rang.push_back(static_cast<Ringer*>(entry)->number);
  return rang;
}
}  // namespace

TEST_CASE("a deadline rings within a tick after its time, never before") {
  Deadlines wheel(kStart);
  Ringer ringer(1);
  wheel.add(ringer, kStart + 5ms);
  CHECK(due(wheel, kStart + 5ms - 1ns).empty());
  CHECK(wheel.next() == kStart + 6ms);
  CHECK(due(wheel, kStart + 6ms) == std::vector{1});
  CHECK(wheel.size() == 0);
  CHECK_FALSE(wheel.next());
}

TEST_CASE("what is taken back, or whose owner goes away, does not ring") {
  Deadlines wheel(kStart);
  Ringer kept(1), taken(2);
  {
    Ringer gone(3);
    for (Ringer* each : {&kept, &taken, &gone}) wheel.add(*each, kStart + 10ms);
    taken.unlink();
  }
  CHECK(wheel.size() == 1);
  CHECK(due(wheel, kStart + 20ms) == std::vector{1});
}

TEST_CASE("a deadline beyond a turn of the wheel waits for its own turn, and is told exactly") {
  Deadlines wheel(kStart);
  Ringer far(1), near(2);
  wheel.add(far, kStart + 10s);
  CHECK(wheel.next() == kStart + 10s + 1ms);
  wheel.add(near, kStart + 10s - 9 * 512ms);
  CHECK(due(wheel, kStart + 9s) == std::vector{2});
  CHECK(due(wheel, kStart + 10s).empty());
  CHECK(due(wheel, kStart + 10s + 1ms) == std::vector{1});
}

TEST_CASE("after a long sleep all that came due rings, in order") {
  Deadlines wheel(kStart);
  std::deque<Ringer> ringers;
  for (int i = 0; i < 100; ++i) wheel.add(ringers.emplace_back(i), kStart + i * 77ms);
  std::vector<int> wanted(100);
  for (int i = 0; i < 100; ++i) wanted[static_cast<std::size_t>(i)] = i;
  CHECK(due(wheel, kStart + std::chrono::hours(24)) == wanted);
}

TEST_CASE("a short deadline is in time though the wheel was not looked at for long and only a far one waited") {
  Deadlines wheel(kStart);
  Ringer far(1), near(2);
  wheel.add(far, kStart + 10s);
  CHECK(due(wheel, kStart + 2s).empty());
  wheel.add(near, kStart + 2s + 375ms);
  CHECK(wheel.next() == kStart + 2s + 376ms);
  CHECK(due(wheel, kStart + 2s + 376ms) == std::vector{2});
  CHECK(due(wheel, kStart + 11s) == std::vector{1});
}

TEST_CASE("random deadlines ring like those of a sorted list") {
  const std::uint64_t seed = Random::from_os().next();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < 50; ++round) {
    Deadlines wheel(kStart);
    std::deque<Ringer> ringers;
    std::multimap<TimePoint, int> model;
    TimePoint now = kStart;
    for (int step = 0; step < 200; ++step) {
      const Duration delay = std::chrono::microseconds(random.below(2'000'000));
      wheel.add(ringers.emplace_back(step), now + delay);
      model.emplace(now + delay, step);
      now += std::chrono::microseconds(random.below(50'000));
      auto rang = due(wheel, now);
      std::vector<int> must, may;
      for (const auto& [when, number] : model) {
        if (when + Deadlines::kTick <= now) must.push_back(number);
        if (when <= now) may.push_back(number);
      }
      for (const int number : must) CHECK(std::count(rang.begin(), rang.end(), number) == 1);
      for (const int number : rang) CHECK(std::count(may.begin(), may.end(), number) == 1);
      std::erase_if(model, [&](const auto& entry) { return std::count(rang.begin(), rang.end(), entry.second) > 0; });
    }
    CHECK(wheel.size() == model.size());
  }
}
