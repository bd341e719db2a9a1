#include "tests/support/catch.hpp"
#include "tests/support/manual_loop.hpp"
#include "weft/base/base.hpp"

using namespace weft;

namespace {
Task<int> twice(Loop& loop, int n) {
  co_await sleep_for(loop, 1s);
  co_return n * 2;
}
Task<int> thrower() {
  throw std::runtime_error("no");
  co_return 0;
}
}  // namespace

TEST_CASE("a task waits, resumes and hands its value on") {
  test::ManualLoop loop;
  TaskScope scope;
  int got = 0;
  scope.spawn([](Loop& l, int& out) -> Task<void> { out = co_await twice(l, 4) + co_await twice(l, 1); }(loop, got));
  loop.advance(1999ms);
  CHECK(got == 0);
  loop.advance(1ms);
  CHECK(got == 10);
  CHECK(scope.size() == 0);
}

TEST_CASE("an exception comes out of the await and at last goes to on_done") {
  TaskScope scope;
  bool failed = false;
  scope.spawn([]() -> Task<void> { co_await thrower(); }(), [&](std::exception_ptr e) { failed = e != nullptr; });
  CHECK(failed);
}

TEST_CASE("a scope that goes away cancels what waits, and its timers") {
  test::ManualLoop loop;
  int got = 0;
  bool unwound = false;
  struct Mark {
    bool& mark;
    ~Mark() { mark = true; }
  };
  {
    TaskScope scope;
    scope.spawn([](Loop& l, int& out, bool& gone) -> Task<void> {
      Mark mark{gone};
      out = co_await twice(l, 4);
    }(loop, got, unwound));
    CHECK(scope.size() == 1);
  }
  CHECK(unwound);
  loop.advance(2s);
  CHECK(got == 0);
}

TEST_CASE("a completion keeps a value that comes before the await, and refuses a second") {
  Completion<int> completion;
  auto completer = completion.completer();
  auto copy = completer;
  CHECK(completer.complete(5));
  CHECK_FALSE(copy.complete(6));
  TaskScope scope;
  int got = 0;
  scope.spawn([](Completion<int> c, int& out) -> Task<void> { out = co_await c; }(std::move(completion), got));
  CHECK(got == 5);
}

TEST_CASE("a value for a waiter that went away is dropped") {
  Completion<int>::Completer completer;
  {
    Completion<int> completion;
    completer = completion.completer();
    CHECK(completer.wanted());
  }
  CHECK_FALSE(completer.wanted());
  CHECK_FALSE(completer.complete(1));
}
