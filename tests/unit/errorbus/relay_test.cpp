#include "errorbus/relay.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/manual_loop.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::errorbus;

namespace {

struct Sink final : ErrorSink {
  void report(ErrorEvent event) noexcept override { events.push_back(std::move(event)); }
  std::vector<ErrorEvent> events;
};

struct Fixture {
  test::ManualLoop loop;
  test::TempDir dir;
  observe::Metrics metrics;
  observe::Log log{{}, loop.clock(), [](std::string_view) {}};
  Journal journal{loop.clock(), {.file = dir / "errorbus.db"}, true, Severity::info};
  Sink own;
  std::vector<ErrorEvent> hub;  // what the hub has, in order
  std::vector<std::size_t> batches;
  std::function<Result<report::ReportReply>(const report::ReportRequest&)> answer = [this](const auto& request) {
    hub.insert(hub.end(), request.events.begin(), request.events.end());
    return Result<report::ReportReply>(report::ReportReply{request.events.size(), 0});
  };
  Relay relay{loop,
              journal,
              {.host = "beta"},
              [this](report::ReportRequest request) { return send(std::move(request)); },
              metrics,
              log,
              own};

  Fixture() { REQUIRE(journal.open()); }
  Task<Result<report::ReportReply>> send(report::ReportRequest request) {
    CHECK(request.via == "beta");
    batches.push_back(request.events.size());
    co_await sleep_for(loop, 1ms);
    co_return answer(request);
  }
  void journal_events(std::uint64_t first, std::uint64_t last) {
    const auto events = test::numbered_events(first, last);
    const std::vector<ErrorEvent>* reports[] = {&events};
    REQUIRE(journal.commit(reports));
    relay.wake();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "events go to the hub in order, at most 512 together") {
  relay.wake();
  loop.advance(1s);
  CHECK(batches.empty());
  journal_events(1, 1200);
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(hub) == test::numbers(1, 1200));
  CHECK(batches == std::vector<std::size_t>{512, 512, 176});
  CHECK(journal.waiting_events() == 0);
}

TEST_CASE_METHOD(Fixture, "while the hub is away events wait; it is asked again after 100 ms, at most 1 s") {
  const auto take = std::exchange(
      answer, [](const auto&) -> Result<report::ReportReply> { return Error(codes::deadline_exceeded, "no answer"); });
  journal_events(1, 10);
  loop.advance(10s, 1ms);
  CHECK(batches.size() == 13);  // at 0, 0.1, 0.3, 0.7, 1.5 s, then once a second
  CHECK(journal.waiting_events() == 10);
  CHECK(relay.error().find("no answer") != std::string::npos);
  CHECK(own.events.size() == 1);
  answer = take;
  journal_events(11, 20);
  loop.advance(1100ms, 1ms);
  CHECK(test::numbers_of(hub) == test::numbers(1, 20));
  CHECK(relay.error().empty());
}

TEST_CASE_METHOD(Fixture, "one event that the hub refuses stays here, all others arrive in order") {
  const auto take = answer;
  answer = [&](const report::ReportRequest& request) -> Result<report::ReportReply> {
    for (const auto n : test::numbers_of(request.events)) {
      if (n == 77 || n == 78) return Error(codes::bad_event, "no");
    }
    return take(request);
  };
  journal_events(1, 600);
  loop.advance(1s, 1ms);
  CHECK(hub.size() == 598);
  auto wanted = test::numbers(1, 600);
  std::erase_if(wanted, [](auto n) { return n == 77 || n == 78; });
  CHECK(test::numbers_of(hub) == wanted);
  CHECK(metrics.counter("weft_error_relay_refused_total", "").value() == 2);
}

TEST_CASE_METHOD(Fixture, "a sender that throws is a failure like any other") {
  const auto take =
      std::exchange(answer, [](const auto&) -> Result<report::ReportReply> { throw std::runtime_error("x"); });
  journal_events(1, 3);
  loop.advance(50ms, 1ms);
  CHECK(hub.empty());
  answer = take;
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(hub) == test::numbers(1, 3));
}
