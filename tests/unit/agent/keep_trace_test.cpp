#include "weft/agent/keep_trace.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"

using namespace weft;
using detail::KeepTrace;

namespace {

TraceContext trace_of(std::uint8_t number) {
  TraceContext trace;
  trace.trace_id[0] = number;
  return trace;
}
int here() { return current_trace() ? current_trace()->trace_id[0] : 0; }

struct Fixture {
  Task<int> after(Duration delay) {
    if (delay > Duration::zero()) co_await sleep_for(loop, delay);
    if (throws) throw std::runtime_error("as wanted");
    co_return 5;
  }
  Task<void> work(Duration delay) {
    seen.push_back(here());
    KeepTrace<int> kept(after(delay));
    const int value = co_await kept;
    CHECK(value == 5);
    seen.push_back(here());
  }
  void start(std::uint8_t number, Duration delay) {
    const TraceScope scope(trace_of(number));
    tasks.spawn(work(delay), [this](const std::exception_ptr& failure) { failed = failed || failure; });
  }
  test::ManualLoop loop;
  std::vector<int> seen;
  bool throws = false, failed = false;
  TaskScope tasks;
};
using Seen = std::vector<int>;

}  // namespace

TEST_CASE_METHOD(Fixture, "work that waited goes on in its trace, and whoever woke it has his own again") {
  start(3, 10ms);
  CHECK(here() == 0);
  CHECK(seen == Seen{3});
  loop.advance(10ms);
  CHECK(seen == Seen{3, 3});
  CHECK(here() == 0);
  CHECK(tasks.size() == 0);
}

TEST_CASE_METHOD(Fixture, "works that wait beside each other keep each its own, and one without has none") {
  start(1, 20ms);
  start(0, 10ms);
  start(2, 10ms);
  loop.advance(20ms);
  CHECK(seen == Seen{1, 0, 2, 0, 2, 1});
}

TEST_CASE_METHOD(Fixture, "what does not wait at all goes on at once, however often") {
  const TraceScope scope(trace_of(4));
  auto many = [this]() -> Task<void> {
    for (int i = 0; i < 100'000; ++i) {
      KeepTrace<int> kept(after({}));
      (void)co_await kept;
    }
    seen.push_back(here());
  };
  tasks.spawn(many());
  CHECK(seen == Seen{4});
}

TEST_CASE_METHOD(Fixture, "an exception comes out where the work waits") {
  throws = true;
  start(3, 10ms);
  loop.advance(10ms);
  CHECK(failed);
  CHECK(seen == Seen{3});
}

TEST_CASE_METHOD(Fixture, "work that is cancelled cancels what it waits for") {
  start(3, 10ms);
  tasks.cancel_all();
  loop.advance(10ms);
  CHECK(seen == Seen{3});
  CHECK(here() == 0);
}
