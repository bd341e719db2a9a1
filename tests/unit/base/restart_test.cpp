#include "weft/base/restart.hpp"

#include "tests/support/catch.hpp"
#include "weft/base/codes.hpp"

using namespace weft;

namespace {
TimePoint at(Duration since_start) { return TimePoint(1h) + since_start; }
}  // namespace

TEST_CASE("restart kinds are read by the names that they print") {
  for (std::size_t i = 0; i < kRestartCount; ++i) {
    const auto kind = static_cast<Restart>(i);
    CHECK(from_text(to_string(kind), std::type_identity<Restart>{}).value() == kind);
  }
  CHECK(to_string(Restart::permanent) == "permanent");
  CHECK(to_string(Restart::temporary) == "temporary");
  const auto wrong = from_text("transeint", std::type_identity<Restart>{});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().is(codes::bad_value));
  CHECK(wrong.error().message ==
        "wanted permanent, transient or temporary, got 'transeint', did you mean 'transient'?");
}

TEST_CASE("a window of 200 ms forgets what is older") {
  RestartWindow window({5, 200ms});
  CHECK(window.count(at(0ms)) == 0);
  CHECK(window.take(at(0ms)));
  CHECK(window.take(at(0ms)));
  CHECK(window.take(at(100ms)));
  CHECK(window.count(at(200ms)) == 3);
  CHECK(window.count(at(250ms)) == 1);
  CHECK(window.count(at(301ms)) == 0);
}

TEST_CASE("one more than the limit in a window is refused and not counted") {
  RestartWindow window({2, 100ms});
  CHECK(window.take(at(0ms)));
  CHECK(window.take(at(50ms)));
  CHECK_FALSE(window.take(at(100ms)));
  CHECK(window.count(at(100ms)) == 2);
  CHECK(window.take(at(101ms)));
  CHECK_FALSE(window.take(at(102ms)));
}

TEST_CASE("a window without a limit takes every restart, and counts to 1000") {
  RestartWindow window({0, 1s});
  for (int i = 0; i < 5000; ++i) REQUIRE(window.take(at(0ms)));
  CHECK(window.count(at(1s)) == 1000);
  CHECK(window.count(at(1001ms)) == 0);
}

TEST_CASE("a window that is reset begins again") {
  RestartWindow window({1, 1s});
  CHECK(window.take(at(0ms)));
  CHECK_FALSE(window.take(at(1ms)));
  window.reset();
  CHECK(window.count(at(1ms)) == 0);
  CHECK(window.take(at(1ms)));
}
