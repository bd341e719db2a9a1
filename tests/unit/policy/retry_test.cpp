#include "weft/policy/retry.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::policy;

namespace {

Policy::Retry rules(RetryOn on = RetryOn::refused) {
  Policy::Retry out;
  out.on = on;
  return out;
}
bool worth(const Code& code, RetryOn on, bool idempotent = false) {
  return worth_retrying(Error(code, "x"), rules(on), idempotent);
}

/// Calls `count` times; each fails and is retried for as long as attempts and budget allow. Returns all attempts.
int load_of(int count, RetryBudget& budget, double ratio, int max_attempts) {
  int attempts = 0;
  for (int i = 0; i < count; ++i) {
    budget.earn(ratio);
    ++attempts;
    for (int retry = 1; retry < max_attempts && budget.spend(ratio); ++retry) ++attempts;
  }
  return attempts;
}

}  // namespace

TEST_CASE("what was refused before the handler is retried, unless retries are off") {
  for (const auto on : {RetryOn::refused, RetryOn::retryable, RetryOn::failed}) {
    CHECK(worth(codes::draining, on));
    CHECK(worth(codes::queue_full, on));
  }
  auto off = rules(RetryOn::failed);
  off.max_attempts = 1;
  CHECK_FALSE(worth_retrying(Error(codes::queue_full, "x"), off, true));
}

TEST_CASE("what was certainly not done is retried when asked for, so that nobody there is told at once by default") {
  CHECK_FALSE(worth(codes::no_responders, RetryOn::refused));
  CHECK(worth(codes::no_responders, RetryOn::retryable));
  CHECK(worth_retrying(Error(ErrorKind::overloaded, "MINE-1", "x"), rules(RetryOn::retryable), false));
}

TEST_CASE("what may have been done is retried only when it is idempotent") {
  for (const auto& code : {codes::deadline_exceeded, codes::peer_gone}) {
    CHECK_FALSE(worth(code, RetryOn::refused));
    CHECK_FALSE(worth(code, RetryOn::retryable));
    CHECK(worth(code, RetryOn::failed));
    CHECK(worth(code, RetryOn::refused, true));
  }
}

TEST_CASE("what would fail again is never retried") {
  for (const auto& code :
       {codes::bad_payload, codes::no_such_method, codes::handler_failed, codes::call_cancelled, codes::unauthorized})
    CHECK_FALSE(worth(code, RetryOn::failed, true));
}

TEST_CASE("pauses double up to the longest, and jitter takes any part of them") {
  const auto pause = [](int number, double chance) { return backoff(rules(), number, chance); };
  CHECK(pause(1, 0) == 50ms);
  CHECK(pause(2, 0) == 100ms);
  CHECK(pause(5, 0) == 800ms);
  CHECK(pause(6, 0) == 1s);
  CHECK(pause(1000, 0) == 1s);
  CHECK(pause(1, 0.5) == 25ms);
  CHECK(pause(6, 0.999) < 2ms);
  auto steady = rules();
  steady.jitter = 0;
  CHECK(backoff(steady, 2, 0.9) == 100ms);
}

TEST_CASE("a target that always fails gets at most 1.1 times its load") {
  for (const int count : {30, 100, 1000, 100'000}) {
    RetryBudget budget;
    const int attempts = load_of(count, budget, 0.1, 3);
    CHECK(attempts <= count * 11 / 10);
    CHECK(attempts >= count * 11 / 10 - 1);  // and no less: the budget is there to be used
  }
}

TEST_CASE("a few retries are lent to a target that is new, and paid back") {
  RetryBudget budget;
  CHECK(load_of(1, budget, 0.1, 10) == 1 + 3);
  CHECK(load_of(39, budget, 0.1, 10) == 39 + 1);  // 4 of 40
}

TEST_CASE("what was saved in good times is bounded") {
  RetryBudget budget;
  for (int i = 0; i < 100'000; ++i) budget.earn(0.1);
  int retries = 0;
  while (budget.spend(0.1)) ++retries;
  CHECK(retries == 10);
}

TEST_CASE("a budget of nothing retries nothing") {
  RetryBudget budget;
  CHECK_FALSE(budget.spend(0));
}
