#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/report/reporter_fixture.hpp"

using namespace weft;
using namespace weft::report;

TEST_CASE_METHOD(ReporterFixture,
                 "an event in the name of another agent gets the host, and nothing else of its reporter") {
  start();
  reporter->set_epoch(9);
  ErrorEvent event;
  event.code = "CRASHED";
  event.agent = "digest";
  reporter->report(event);
  loop.advance(20ms, 1ms);
  REQUIRE(bus.size() == 1);
  CHECK(bus[0].host == "alpha");
  CHECK(bus[0].agent == "digest");
  CHECK(bus[0].instance.is_nil());
  CHECK(bus[0].version.empty());
  CHECK(bus[0].epoch == 0);
}

TEST_CASE_METHOD(ReporterFixture, "an event arrives with what its reporter knows of itself") {
  start();
  reporter->set_epoch(9);
  ErrorEvent event;
  event.code = "DISK";
  reporter->report(event);
  CHECK(reporter->unacknowledged() == 1);
  loop.advance(20ms, 1ms);
  REQUIRE(bus.size() == 1);
  CHECK(bus[0].host == "alpha");
  CHECK(bus[0].agent == "echo");
  CHECK(bus[0].version == "1.2.3");
  CHECK(bus[0].config_hash == "c0ffee");
  CHECK(bus[0].instance == options.instance);
  CHECK(bus[0].epoch == 9);
  CHECK_FALSE(bus[0].id.is_nil());
  CHECK(bus[0].time_us >= 1'700'000'000'000'000);
  CHECK(reporter->unacknowledged() == 0);
  CHECK(metrics.counter("weft_errors_reported_total", "").value() == 1);
}

TEST_CASE_METHOD(ReporterFixture, "nothing is sent when nothing is reported") {
  start();
  loop.advance(10s);
  CHECK(batches.empty());
}

TEST_CASE_METHOD(ReporterFixture, "events of one turn travel together, at most batch_max, in order") {
  options.batch_max = 100;
  start();
  report(1, 250);
  loop.advance(100ms, 1ms);
  CHECK(batches == std::vector<std::size_t>{100, 100, 50});
  CHECK(test::numbers_of(bus) == test::numbers(1, 250));
}

TEST_CASE_METHOD(ReporterFixture, "large events travel in smaller batches") {
  start();
  for (auto& event : test::numbered_events(1, 100)) {
    event.stack.assign(60'000, 'x');
    reporter->report(std::move(event));
  }
  loop.advance(100ms, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 100));
  for (const auto events : batches) CHECK(events <= 18);
}

TEST_CASE_METHOD(ReporterFixture, "while the bus is away events wait, and come in order when it is back") {
  answer = away;
  start();
  report(1, 10);
  loop.advance(10s, 1ms);
  CHECK(batches.size() == 8);  // at 0, 0.25, 0.75, 1.75 s, then each 2 s
  CHECK(reporter->unacknowledged() == 10);
  report(11, 20);
  answer = take;
  loop.advance(2100ms, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 20));
  CHECK(reporter->unacknowledged() == 0);
}

TEST_CASE_METHOD(ReporterFixture, "wake() tries at once") {
  answer = away;
  start();
  report(1, 1);
  loop.advance(9s, 1ms);
  answer = take;
  reporter->wake();
  loop.advance(5ms, 1ms);
  CHECK(bus.size() == 1);
  reporter->wake();
  loop.advance(5ms, 1ms);
  CHECK(bus.size() == 1);
}

TEST_CASE_METHOD(ReporterFixture, "a bad event is found, dropped and counted; those around it arrive in order") {
  answer = [&](const ReportRequest& request) -> Result<ReportReply> {
    for (const auto n : test::numbers_of(request.events)) {
      if (n == 13 || n == 14 || n == 99) return Error(codes::bad_event, "no code");
    }
    return take(request);
  };
  start();
  report(1, 200);
  loop.advance(1s, 1ms);
  auto wanted = test::numbers(1, 200);
  std::erase_if(wanted, [](auto n) { return n == 13 || n == 14 || n == 99; });
  CHECK(test::numbers_of(bus) == wanted);
  CHECK(dropped("refused") == 3);
  CHECK(reporter->unacknowledged() == 0);
}

TEST_CASE_METHOD(ReporterFixture, "a sender that throws is a bus that is away") {
  answer = [](const ReportRequest&) -> Result<ReportReply> { throw std::runtime_error("x"); };
  start();
  report(1, 1);
  loop.advance(100ms, 1ms);
  CHECK(reporter->unacknowledged() == 1);
  answer = take;
  loop.advance(1s, 1ms);
  CHECK(bus.size() == 1);
}

TEST_CASE_METHOD(ReporterFixture, "without a file what is left at the end is counted") {
  options.spool_file.clear();
  start();
  report(1, 15);
  reporter->close();
  CHECK(dropped("closed") == 15);
  reporter->report(test::numbered_event(16));
  CHECK(dropped("closed") == 16);
}

TEST_CASE_METHOD(ReporterFixture, "more than the ring holds goes through the file, in order") {
  options.ring_max = 10;
  answer = away;
  start();
  report(1, 500);
  CHECK(reporter->unacknowledged() == 500);
  loop.advance(1s, 1ms);
  answer = take;
  loop.advance(300ms, 1ms);
  report(501, 600);  // while the file still has older ones
  loop.advance(3s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 600));
  CHECK(reporter->unacknowledged() == 0);
  CHECK(std::filesystem::file_size(options.spool_file) == 16);
}

TEST_CASE_METHOD(ReporterFixture, "what a process could not deliver its next one does, before its own") {
  options.ring_max = 10;
  answer = away;
  start();
  report(1, 100);
  loop.advance(3s, 1ms);
  start();  // closes the first
  CHECK(reporter->unacknowledged() == 100);
  report(101, 110);
  answer = take;
  loop.advance(10s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 110));
}

TEST_CASE_METHOD(ReporterFixture, "a process killed while the bus is away loses nothing that is older than a second") {
  const pid_t child = ::fork();
  if (child == 0) {
    answer = away;
    start();
    report(1, 1000);
    loop.advance(3s, 10ms);
    report(1001, 1010);
    loop.advance(20ms, 1ms);
    ::_exit(0);  // no destructor runs
  }
  ::waitpid(child, nullptr, 0);
  start();
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 1010));
}

TEST_CASE_METHOD(ReporterFixture, "what was acknowledged does not come again after a restart") {
  options.batch_max = 10;
  answer = [&](const ReportRequest& request) { return bus.size() < 50 ? take(request) : away(request); };
  start();
  report(1, 100);
  loop.advance(3s, 1ms);
  CHECK(bus.size() == 50);
  start();
  answer = take;
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 100));
}

TEST_CASE_METHOD(ReporterFixture, "a torn tail is cut and counted, what stands before it arrives") {
  answer = away;
  start();
  report(1, 20);
  reporter.reset();
  std::filesystem::resize_file(options.spool_file, std::filesystem::file_size(options.spool_file) - 5);
  start();
  CHECK(dropped("damaged") == 1);
  report(21, 22);
  answer = take;
  loop.advance(3s, 1ms);
  auto wanted = test::numbers(1, 22);
  std::erase(wanted, 20);
  CHECK(test::numbers_of(bus) == wanted);
}

TEST_CASE_METHOD(ReporterFixture, "a damaged event in the middle is counted, those behind it arrive") {
  answer = away;
  start();
  report(1, 20);
  reporter.reset();
  const auto size = std::filesystem::file_size(options.spool_file);
  damage(16 + (size - 16) / 20 * 5 + 100);  // inside the sixth; all have about one size
  start();
  answer = take;
  loop.advance(3s, 1ms);
  CHECK(bus.size() == 19);
  CHECK(dropped("damaged") == 1);
  CHECK(std::filesystem::file_size(options.spool_file) == 16);
}

TEST_CASE_METHOD(ReporterFixture, "a file that is no spool is begun anew, never fatal") {
  dir.write("spool/echo@alpha.events", "this is something else entirely");
  start();
  CHECK(dropped("damaged") == 1);
  report(1, 3);
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 3));
}

TEST_CASE_METHOD(ReporterFixture, "a folder that cannot be written is lived with: memory has what fits") {
  dir.write("file", "");
  options.spool_file = dir / "file/echo.events";
  options.ring_max = 10;
  answer = away;
  start();
  report(1, 15);
  loop.advance(3s, 1ms);
  CHECK(folded("spool_failed") == 5);
  answer = take;
  loop.advance(3s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 11));
  CHECK(counted() == 15);
}

TEST_CASE_METHOD(ReporterFixture, "a spool file of another living process is left alone") {
  answer = away;
  start();
  auto first = std::move(reporter);
  start();
  report(1, 3);
  reporter->close();
  CHECK(dropped("closed") == 3);
}

TEST_CASE_METHOD(ReporterFixture, "size and age of what waits are exported") {
  answer = away;
  start();
  ErrorEvent event;
  event.code = "X";
  reporter->report(event);
  loop.advance(5s, 1ms);
  const auto text = metrics.render(observe::Metrics::Format::text);
  INFO(text);
  CHECK(text.find("weft_errors_unacknowledged 1") != std::string::npos);
  CHECK(text.find("weft_error_spool_oldest_age_seconds 5") != std::string::npos);
  CHECK(text.find("weft_error_spool_bytes 0") == std::string::npos);
  reporter.reset();
  CHECK_FALSE(metrics.render(observe::Metrics::Format::text).empty());
}
