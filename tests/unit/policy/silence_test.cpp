#include "weft/policy/silence.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using policy::Silence;

namespace {

struct SilenceFixture {
  TimePoint now{1h}, heard{};
  Silence silence;
  bool owes = true;

  SilenceFixture() { silence.call_sent(now); }
  bool due_after(Duration time) {
    now += time;
    return silence.look(now, heard, owes);
  }
  void ping() { silence.ping_sent(now); }
  void answer() { heard = now; }
};

}  // namespace

TEST_CASE_METHOD(SilenceFixture, "an instance that owes an answer is pinged after a while, and not before") {
  CHECK_FALSE(due_after(Silence::kPingAfter - 1ns));
  CHECK(due_after(1ns));
}

TEST_CASE_METHOD(SilenceFixture, "one that owes nothing is never pinged") {
  owes = false;
  CHECK_FALSE(due_after(1h));
}

TEST_CASE_METHOD(SilenceFixture, "answers put the ping off") {
  for (int i = 0; i < 100; ++i) {
    CHECK_FALSE(due_after(Silence::kPingAfter - 1ns));
    answer();
  }
}

TEST_CASE_METHOD(SilenceFixture, "it is silent when a ping is not answered, and until anything comes") {
  REQUIRE(due_after(Silence::kPingAfter));
  ping();
  CHECK_FALSE(due_after(Silence::kSilent - 1ns));
  CHECK_FALSE(silence.silent(now));
  CHECK(silence.unanswered(now) == Silence::kSilent - 1ns);
  owes = false;  // its calls have timed out: that makes it no better
  CHECK_FALSE(due_after(1ns));
  CHECK(silence.silent(now));
  silence.call_sent(now);  // nor does a further call
  CHECK(silence.silent(now));
  answer();
  CHECK_FALSE(due_after(1ms));
  CHECK_FALSE(silence.silent(now));
  CHECK(silence.unanswered(now) == Duration::zero());
}

TEST_CASE_METHOD(SilenceFixture, "a handler that takes an hour is pinged ever more rarely, and never silent") {
  int pings = 0;
  for (const TimePoint end = now + 1h; now < end;) {
    if (!due_after(1ms)) continue;
    ++pings;
    ping();
    now += 1ms;
    answer();
    CHECK_FALSE(silence.silent(now));
  }
  CHECK(pings > 3600 * 3);
  CHECK(pings < 3600 * 5);
}

TEST_CASE_METHOD(SilenceFixture, "after an ordinary answer the next silence is noticed early again") {
  for (int i = 0; i < 5; ++i) {
    REQUIRE(due_after(Silence::kPingAfterMax));
    ping();
    answer();
    CHECK_FALSE(due_after(1ms));
  }
  CHECK_FALSE(due_after(Silence::kPingAfter));
  answer();
  CHECK_FALSE(due_after(1ms));
  CHECK(due_after(Silence::kPingAfter));
}
