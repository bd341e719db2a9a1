#include "weft/agent/health_check.hpp"

#include "tests/support/catch.hpp"

using namespace weft;

namespace {

struct CheckFixture {
  CheckRules rules{.failures_before_critical = 3, .successes_before_passing = 2};
  CheckState state{rules};

  CheckResult fails() { return state.add({Health::critical, "refused"}); }
  CheckResult passes() { return state.add({Health::pass, "fine"}); }
  CheckResult warns() { return state.add({Health::warn, "slow"}); }
};

}  // namespace

TEST_CASE_METHOD(CheckFixture, "the first result counts at once") {
  CHECK(fails().status == Health::critical);
  CHECK(CheckState(rules).add({Health::warn, ""}).status == Health::warn);
  CHECK(CheckState(rules).add({}).status == Health::pass);
}

TEST_CASE_METHOD(CheckFixture, "as many failures in a row as the rules say make it critical, and fewer do not") {
  passes();
  CHECK(fails().status == Health::pass);
  CHECK(fails().text == "2 of 3 failures: refused");
  CHECK(passes().text == "fine");
  CHECK(fails().status == Health::pass);
  CHECK(fails().status == Health::pass);
  const auto third = fails();
  CHECK(third.status == Health::critical);
  CHECK(third.text == "refused");
}

TEST_CASE_METHOD(CheckFixture, "as many successes in a row as the rules say end a critical state") {
  fails();
  CHECK(passes().status == Health::critical);
  CHECK(fails().status == Health::critical);
  CHECK(passes().text == "1 of 2 successes fine");
  CHECK(passes().status == Health::pass);
}

TEST_CASE_METHOD(CheckFixture, "a warning counts at once, and as a success of a critical check") {
  passes();
  CHECK(warns().status == Health::warn);
  CHECK(passes().status == Health::pass);
  for (int i = 0; i < 3; ++i) fails();
  CHECK(warns().status == Health::critical);
  CHECK(warns().status == Health::warn);
}

TEST_CASE("the outcome of an operation is the result of a check") {
  CHECK(CheckResult(Result<void>()).status == Health::pass);
  const CheckResult failed = Result<void>(Error(codes::peer_gone, "the database is away"));
  CHECK(failed.status == Health::critical);
  CHECK(failed.text == "the database is away");
}
