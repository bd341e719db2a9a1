#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "weft/actor/actor.hpp"

using namespace weft;
using namespace weft::actor;

namespace {

MonitorEvent event_of(std::uint64_t actor, Level level = Level::info) {
  MonitorEvent event;
  event.actor = actor;
  event.level = level;
  event.kind = "restarted";
  return event;
}

/// Every actor writes `each` events; the field "n" numbers them, and their level is by their number.
void write_from_threads(Monitor& monitor, std::uint64_t actors, std::uint64_t each) {
  std::vector<std::thread> writers;
  for (std::uint64_t actor = 0; actor < actors; ++actor) {
    writers.emplace_back([&monitor, actor, each] {
      for (std::uint64_t n = 0; n < each; ++n) {
        auto event = event_of(actor, static_cast<Level>(n % 6));
        event.fields.push_back({"n", std::to_string(n)});
        monitor.record(std::move(event));
      }
    });
  }
  for (auto& writer : writers) writer.join();
}

std::vector<std::uint64_t> actors_of(const RecordingMonitor::Snapshot& snapshot) {
  std::vector<std::uint64_t> result;
  for (const auto& event : snapshot.latest) result.push_back(event.actor);
  return result;
}

/// The writer counts its events from 1 and writes nothing else, so the newest one's number is the total.
bool is_one_moment(const RecordingMonitor::Snapshot& snapshot, std::size_t ring) {
  if (std::accumulate(snapshot.totals.begin(), snapshot.totals.end(), std::uint64_t{0}) != snapshot.total) return false;
  if (snapshot.latest.size() != std::min<std::uint64_t>(snapshot.total, ring)) return false;
  std::uint64_t expected = snapshot.total - snapshot.latest.size();
  for (const auto& event : snapshot.latest) {
    if (event.actor != ++expected || event.fields.at(0).value != std::to_string(expected)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("families and levels have the names that metrics and logs show") {
  CHECK(to_string(Family::supervision) == "supervision");
  CHECK(to_string(Family::mailbox) == "mailbox");
  CHECK(to_string(Level::trace) == "trace");
  CHECK(to_string(Level::critical) == "critical");
}

TEST_CASE("the monitor that keeps nothing wants nothing") {
  NoMonitor monitor;
  CHECK_FALSE(monitor.wants(Level::critical));
  monitor.record(event_of(1));
}

TEST_CASE("an event is described in one line, whatever its text holds") {
  auto event = event_of(7, Level::error);
  CHECK(describe(event) == "error actor restarted: 7");
  event.name = "probe/alpha";
  event.fields = {{"what", "two\nlines\x1b[31m"}, {"restarts", "3"}};
  CHECK(describe(event) == "error actor restarted: 'probe/alpha', what: two lines [31m, restarts: 3");
}

TEST_CASE("a printing monitor prints a line for each event from its level up") {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  PrintingMonitor monitor(Level::warning, stream);
  monitor.record(event_of(1, Level::info));
  monitor.record(event_of(2, Level::warning));
  monitor.record(event_of(3, Level::critical));
  std::fclose(stream);
  CHECK(std::string(text, size) == "warning actor restarted: 2\ncritical actor restarted: 3\n");
  std::free(text);
}

TEST_CASE("a new monitor has recorded nothing") {
  const auto snapshot = RecordingMonitor().snapshot();
  CHECK(snapshot.total == 0);
  CHECK(snapshot.latest.empty());
}

TEST_CASE("an event is kept as it was told, and counted by its level") {
  RecordingMonitor monitor;
  auto event = event_of(7, Level::error);
  event.time = TimePoint(5s);
  event.family = Family::supervision;
  event.name = "probe/alpha";
  event.fields = {{"reason", "error"}, {"restarts", "3"}};
  monitor.record(event);
  const auto snapshot = monitor.snapshot();
  CHECK(snapshot.total == 1);
  CHECK(snapshot.totals == std::array<std::uint64_t, 6>{0, 0, 0, 0, 1, 0});
  const auto& kept = snapshot.latest.at(0);
  CHECK(kept.time == TimePoint(5s));
  CHECK(kept.family == Family::supervision);
  CHECK(kept.kind == "restarted");
  CHECK(kept.actor == 7);
  CHECK(kept.name == "probe/alpha");
  CHECK(kept.fields.at(1).key == "restarts");
  CHECK(kept.fields.at(1).value == "3");
}

TEST_CASE("ten writers of a hundred events each make a total and a ring of a thousand") {
  RecordingMonitor monitor;
  write_from_threads(monitor, 10, 100);
  const auto snapshot = monitor.snapshot();
  CHECK(snapshot.total == 1000);
  CHECK(snapshot.totals == std::array<std::uint64_t, 6>{170, 170, 170, 170, 160, 160});
  CHECK(snapshot.latest.size() == 1000);
  std::vector<std::uint64_t> next(10);
  for (const auto& event : snapshot.latest) REQUIRE(event.fields.at(0).value == std::to_string(next[event.actor]++));
}

TEST_CASE("a ring of 50 keeps the last 50 of 100 events, oldest first") {
  RecordingMonitor monitor({50, Level::trace});
  for (std::uint64_t n = 0; n < 100; ++n) monitor.record(event_of(n));
  const auto snapshot = monitor.snapshot();
  CHECK(snapshot.total == 100);
  std::vector<std::uint64_t> last(50);
  std::iota(last.begin(), last.end(), 50);
  CHECK(actors_of(snapshot) == last);
}

TEST_CASE("a ring is oldest first before it is full, when it is, and when it wraps") {
  RecordingMonitor monitor({3, Level::trace});
  monitor.record(event_of(1));
  monitor.record(event_of(2));
  CHECK(actors_of(monitor.snapshot()) == std::vector<std::uint64_t>{1, 2});
  monitor.record(event_of(3));
  CHECK(actors_of(monitor.snapshot()) == std::vector<std::uint64_t>{1, 2, 3});
  monitor.record(event_of(4));
  CHECK(actors_of(monitor.snapshot()) == std::vector<std::uint64_t>{2, 3, 4});
}

TEST_CASE("a ring of none counts, and keeps nothing") {
  RecordingMonitor monitor({0, Level::trace});
  monitor.record(event_of(1));
  CHECK(monitor.snapshot().total == 1);
  CHECK(monitor.snapshot().latest.empty());
}

TEST_CASE("a filter from error drops trace, neither counted nor kept") {
  RecordingMonitor monitor({10, Level::error});
  CHECK_FALSE(monitor.wants(Level::trace));
  CHECK_FALSE(monitor.wants(Level::warning));
  CHECK(monitor.wants(Level::error));
  monitor.record(event_of(1, Level::trace));
  monitor.record(event_of(2, Level::critical));
  CHECK(monitor.snapshot().total == 1);
  CHECK(actors_of(monitor.snapshot()) == std::vector<std::uint64_t>{2});
}

TEST_CASE("the filter can be moved while events come") {
  RecordingMonitor monitor({10, Level::error});
  monitor.from(Level::debug);
  monitor.record(event_of(1, Level::debug));
  monitor.from(Level::critical);
  monitor.record(event_of(2, Level::error));
  CHECK(actors_of(monitor.snapshot()) == std::vector<std::uint64_t>{1});
}

TEST_CASE("a reset forgets totals and ring, and the next events count from zero") {
  RecordingMonitor monitor({2, Level::trace});
  for (std::uint64_t n = 0; n < 3; ++n) monitor.record(event_of(n));
  monitor.reset();
  CHECK(monitor.snapshot().total == 0);
  CHECK(monitor.snapshot().latest.empty());
  monitor.record(event_of(9));
  CHECK(monitor.snapshot().total == 1);
  CHECK(actors_of(monitor.snapshot()) == std::vector<std::uint64_t>{9});
}

TEST_CASE("long texts and too many fields are cut, not within a character") {
  RecordingMonitor monitor;
  auto event = event_of(1);
  event.name = std::string(10'000, 'x');
  MonitorEvent::Field field;
  field.key = "text";
  field.value.assign(MonitorEvent::kTextMax - 1, 'y').append("\xC3\xA9");
  event.fields.assign(20, field);
  event.fields[0].value = std::string(MonitorEvent::kTextMax, 'z');
  monitor.record(std::move(event));
  const auto kept = monitor.snapshot().latest.at(0);
  CHECK(kept.name.size() == MonitorEvent::kTextMax);
  CHECK(kept.fields.size() == MonitorEvent::kFieldsMax);
  CHECK(kept.fields[0].value.size() == MonitorEvent::kTextMax);
  CHECK(kept.fields[1].value == std::string(MonitorEvent::kTextMax - 1, 'y'));
}

TEST_CASE("snapshots taken while another thread writes are of one moment each") {
  constexpr std::size_t ring = 64;
  RecordingMonitor monitor({ring, Level::trace});
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (std::uint64_t n = 1; !done; ++n) {
      auto event = event_of(n, static_cast<Level>(n % 6));
      event.fields.push_back({"n", std::to_string(n)});
      monitor.record(std::move(event));
    }
  });
  int good = 0;
  std::uint64_t total = 0;
  while (good < 200 && total < 2'000'000'000) {
    const auto snapshot = monitor.snapshot();
    if (!is_one_moment(snapshot, ring) || snapshot.total < total) break;
    good += snapshot.total > total ? 1 : 0;
    total = snapshot.total;
  }
  done = true;
  writer.join();
  CHECK(good == 200);
}

TEST_CASE("snapshots, resets and filters from other threads leave every event whole") {
  RecordingMonitor monitor({32, Level::trace});
  std::atomic<bool> done = false;
  std::thread meddler([&] {
    while (!done) {
      monitor.reset();
      monitor.from(Level::warning);
      monitor.from(Level::trace);
    }
  });
  std::thread writers([&] { write_from_threads(monitor, 4, 5000); });
  bool whole = true;
  for (int i = 0; i < 200; ++i) {
    for (const auto& event : monitor.snapshot().latest) whole = whole && event.fields.size() == 1 && event.actor < 4;
  }
  writers.join();
  done = true;
  meddler.join();
  CHECK(whole);
}
