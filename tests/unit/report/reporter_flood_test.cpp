// The reporter when there is more than it can keep whole.
#include "tests/unit/report/reporter_fixture.hpp"

using namespace weft;
using namespace weft::report;

TEST_CASE_METHOD(ReporterFixture,
                 "without a file only the number of the newest is kept when the ring is full, and arrives") {
  options.spool_file.clear();
  options.ring_max = 10;
  answer = away;
  start();
  report(1, 15);
  CHECK(reporter->unacknowledged() == 15);
  CHECK(folded("ring_full") == 5);
  answer = take;
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 11));
  CHECK(bus.back().repeated == 4);
  CHECK(counted() == 15);
  CHECK(reporter->unacknowledged() == 0);
  report(16, 20);  // whole again
  loop.advance(1s, 1ms);
  CHECK(bus.size() == 16);
}

TEST_CASE_METHOD(ReporterFixture,
                 "a hundred thousand reports of two issues in one moment are counted exactly, and few are sent") {
  options.spool_file.clear();
  options.ring_max = 100;
  start();
  for (std::uint64_t n = 1; n <= 100'000; ++n) {
    ErrorEvent event = test::numbered_event(n);
    event.message = n % 4 == 0 ? "disk {n}" : "fan {n}";
    reporter->report(std::move(event));
  }
  loop.advance(5s, 1ms);
  CHECK(bus.size() == 102);
  CHECK(counted() == 100'000);
  std::uint64_t disk = 0;
  for (const auto& event : bus) disk += event.message == "disk {n}" ? 1 + event.repeated : 0;
  CHECK(disk == 25'000);
  CHECK(folded("ring_full") == 99'900);
  CHECK(metrics.counter("weft_errors_reported_total", "").value() == 100'000);
}

TEST_CASE_METHOD(ReporterFixture, "issues beyond the room for samples are dropped and counted") {
  options.spool_file.clear();
  options.ring_max = 1;
  answer = away;
  start();
  for (std::uint64_t n = 1; n <= 301; ++n) {
    ErrorEvent event = test::numbered_event(n);
    event.code = "CODE-" + std::to_string(n);
    reporter->report(std::move(event));
  }
  CHECK(folded("ring_full") == 256);
  CHECK(dropped("folds_full") == 44);
}

TEST_CASE_METHOD(ReporterFixture,
                 "samples that were not sent go to the file at the end, or are counted with what they stand for") {
  options.ring_max = 10;
  dir.write("file", "");
  options.spool_file = dir / "file/echo.events";
  answer = away;
  start();
  report(1, 50);
  CHECK(folded("spool_failed") == 40);
  reporter->close();
  CHECK(dropped("closed") == 50);

  start();
  report(1, 50);
  std::filesystem::remove(dir / "file");  // now the folder can be made
  start();                                // closes the former
  CHECK(dropped("closed") == 50);
  answer = take;
  loop.advance(3s, 1ms);
  CHECK(bus.size() == 11);
  CHECK(counted() == 50);
}

TEST_CASE_METHOD(ReporterFixture, "a file at its limit keeps the number of the newest") {
  options.ring_max = 10;
  options.spool_bytes_max = 20'000;
  answer = away;
  start();
  report(1, 500);
  const auto kept = reporter->unacknowledged();
  CHECK(kept == 500);
  const auto whole = 500 - folded("spool_full");
  CHECK(whole < 100);
  answer = take;
  loop.advance(3s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, static_cast<std::int64_t>(whole + 1)));
  CHECK(counted() == 500);
  report(501, 510);  // there is room again
  loop.advance(1s, 1ms);
  CHECK(bus.size() == whole + 11);
}
