#include "weft/report/courier.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/error_events.hpp"
#include "tests/support/manual_loop.hpp"

using namespace weft;
using namespace weft::report;

namespace {

struct Fixture : Courier::Source {
  test::ManualLoop loop;
  std::vector<ErrorEvent> waiting;
  std::vector<std::int64_t> dropped;
  std::vector<std::size_t> batches;
  std::vector<std::string> vias;
  std::vector<ErrorEvent> bus;
  std::size_t failures = 0;
  std::optional<Error> unreadable;
  using Answer = std::function<Result<ReportReply>(const ReportRequest&)>;
  const Answer take = [this](const ReportRequest& request) {
    bus.insert(bus.end(), request.events.begin(), request.events.end());
    return Result<ReportReply>(ReportReply{request.events.size(), 0});
  };
  Answer answer = take;
  Courier courier{
      loop, *this, {8, 100ms, 1s, "beta"}, [this](ReportRequest request) { return send(std::move(request)); }};

  Task<Result<ReportReply>> send(ReportRequest request) {
    batches.push_back(request.events.size());
    vias.push_back(request.via);
    co_await sleep_for(loop, 1ms);
    co_return answer(request);
  }

  Result<std::vector<ErrorEvent>> next(std::size_t events_max) override {
    if (unreadable) return *unreadable;
    const auto count = static_cast<std::ptrdiff_t>(std::min(events_max, waiting.size()));
    return std::vector<ErrorEvent>(waiting.begin(), waiting.begin() + count);
  }
  void delivered(std::size_t events) override {
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(events));
  }
  void rejected(const Error&) override {
    dropped.push_back(test::numbers_of(waiting).front());
    waiting.erase(waiting.begin());
  }
  void failed(const Error&) override { ++failures; }

  void put(std::uint64_t first, std::uint64_t last) {
    for (auto& event : test::numbered_events(first, last)) waiting.push_back(std::move(event));
    courier.wake();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "events arrive in order, in batches no larger than allowed") {
  put(1, 20);
  CHECK_FALSE(courier.idle());
  loop.advance(50ms, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 20));
  CHECK(batches == std::vector<std::size_t>{8, 8, 4});
  CHECK(vias == std::vector<std::string>{"beta", "beta", "beta"});
  CHECK(courier.idle());
}

TEST_CASE_METHOD(Fixture, "nothing is sent while nothing waits") {
  courier.wake();
  loop.advance(10s, 10ms);
  CHECK(batches.empty());
  CHECK(courier.idle());
}

TEST_CASE_METHOD(Fixture, "a rejected batch is halved until the bad event is alone, and grows again afterwards") {
  answer = [&](const ReportRequest& request) -> Result<ReportReply> {
    for (const auto n : test::numbers_of(request.events))
      if (n == 3) return Error(codes::bad_event, "no");
    return take(request);
  };
  put(1, 40);
  loop.advance(100ms, 1ms);
  CHECK(dropped == std::vector<std::int64_t>{3});
  auto wanted = test::numbers(1, 40);
  std::erase(wanted, 3);
  CHECK(test::numbers_of(bus) == wanted);
  CHECK(batches[0] == 8);
  CHECK(batches[1] == 4);
  CHECK(*std::max_element(batches.begin() + 4, batches.end()) == 8);
  CHECK(failures == 0);
}

TEST_CASE_METHOD(Fixture, "the delay after failures doubles up to its limit") {
  answer = [](const ReportRequest&) -> Result<ReportReply> { return Error(codes::no_responders, "away"); };
  put(1, 3);
  loop.advance(4s, 1ms);
  CHECK(batches.size() == 7);  // at 0, 0.1, 0.3, 0.7, 1.5, 2.5 and 3.5 s
  CHECK(failures == batches.size());
  answer = take;
  courier.forget_failures();
  courier.wake();
  loop.advance(5ms, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 3));
}

TEST_CASE_METHOD(Fixture, "waking does not shorten the delay after a failure") {
  answer = [](const ReportRequest&) -> Result<ReportReply> { return Error(codes::no_responders, "away"); };
  put(1, 1);
  loop.advance(50ms, 1ms);
  courier.wake();
  loop.advance(40ms, 1ms);
  CHECK(batches.size() == 1);
}

TEST_CASE_METHOD(Fixture, "an exception of the sender and an unreadable source are failures, and no event is lost") {
  answer = [](const ReportRequest&) -> Result<ReportReply> { throw std::runtime_error("x"); };
  put(1, 2);
  loop.advance(50ms, 1ms);
  CHECK(failures == 1);
  answer = take;
  unreadable = Error(codes::journal_failed, "cannot be read");
  loop.advance(200ms, 1ms);
  CHECK(failures == 2);
  unreadable.reset();
  loop.advance(1s, 1ms);
  CHECK(test::numbers_of(bus) == test::numbers(1, 2));
}

TEST_CASE_METHOD(Fixture, "after stop() nothing is sent, also not the batch that was under way") {
  put(1, 2);
  courier.stop();
  loop.advance(10s, 10ms);
  CHECK(bus.empty());
  CHECK(waiting.size() == 2);
  CHECK(failures == 0);
}
