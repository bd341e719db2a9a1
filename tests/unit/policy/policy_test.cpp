#include "weft/policy/policy.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/config/load_fixture.hpp"

using namespace weft;
using namespace weft::policy;

namespace {

struct Fixture : test::LoadFixture {
  Policies policies() const {
    auto read = Policies::from(good());
    REQUIRE(read);
    return std::move(*read);
  }
};

std::string who(const EffectivePolicy& policy, std::string_view key) {
  const auto* setting = policy.setting(key);
  return setting ? setting->pattern : "nobody";
}

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "without a configuration every target has the built-in policy, and the schema says the same") {
  CHECK(Policies().policy_for("digest.summary").policy == Policy());
  options.directory.clear();
  const auto policies = this->policies();
  CHECK(policies.policy_for("digest.summary").policy == Policy());
  CHECK(policies.policy_for("x").setting("timeout")->where == "built-in default");
}

TEST_CASE_METHOD(Fixture, "each value is that of the most specific rule that has it, and tells its place") {
  dir.write("base.yaml",
            "mesh:\n  policies:\n    digest:\n      timeout: 3s\n      retry: {max_attempts: 4}\n"
            "    digest.summary:\n      timeout: 1s\n    '*.slow_*':\n      timeout: 30s\n      balance: random_two\n");
  const auto policies = this->policies();
  const auto& summary = policies.policy_for("digest.summary");
  CHECK(summary.policy.timeout == 1s);
  CHECK(summary.policy.retry.max_attempts == 4);
  CHECK(summary.policy.retry.base == 50ms);
  CHECK(summary.setting("timeout")->where == dir.path() + "/base.yaml:7:16");
  CHECK(summary.setting("retry.max_attempts")->where == dir.path() + "/base.yaml:5:29");
  CHECK(who(summary, "retry.base") == "*");
  const auto& slow = policies.policy_for("digest.slow_one");
  CHECK(slow.policy.timeout == 3s);  // an agent that is named beats a method that is
  CHECK(slow.policy.balance == Balance::random_two);
  CHECK(who(slow, "balance") == "*.slow_*");
  CHECK(policies.policy_for("echo.slow_one").policy.timeout == 30s);
  CHECK(policies.policy_for("echo.echo").policy == Policy());
}

TEST_CASE_METHOD(Fixture, "layers merge value by value, and the winner's place is told") {
  dir.write("base.yaml", "mesh:\n  policies:\n    digest: {timeout: 3s, hedge: {after: 5ms}}\n");
  dir.write("hosts/alpha.yaml", "mesh:\n  policies:\n    digest: {timeout: 4s}\n");
  options.sets = {"mesh.policies.*.balance=hash"};
  const auto policies = this->policies();
  const auto& policy = policies.policy_for("digest.summary");
  CHECK(policy.policy.timeout == 4s);
  CHECK(policy.policy.hedge.after == 5ms);
  CHECK(policy.policy.balance == Balance::hash);
  CHECK(policy.setting("timeout")->where == dir.path() + "/hosts/alpha.yaml:3:23");
  CHECK(policy.setting("balance")->where == "--set mesh.policies.*.balance=hash");
}

TEST_CASE_METHOD(Fixture, "config explain knows the place of each value of a rule, dots in its name or not") {
  dir.write("base.yaml", "mesh:\n  policies:\n    digest.summary:\n      timeout: 1s\n");
  const auto config = good();
  REQUIRE(config.root().find("mesh.policies.digest.summary.timeout"));
  CHECK(config.at("mesh.policies.digest.summary.timeout") == Value("1s"));
  REQUIRE(config.explain("mesh.policies.digest.summary.timeout").size() == 1);
  CHECK(config.origin("mesh.policies.digest.summary.timeout").line == 4);
  CHECK(config.origin("mesh.policies.*.retry.budget").where() == "built-in default");
}

TEST_CASE_METHOD(Fixture, "mistakes in rules are told with their place and the nearest word") {
  dir.write(
      "base.yaml",
      "mesh:\n  policies:\n    digest:\n      timout: 3s\n      balance: nearst\n      retry: {max_attempts: 0}\n");
  const auto told = mistakes();
  CHECK(told.find("base.yaml:4:7: mesh.policies.digest.timout: unknown key, did you mean 'timeout'?") != told.npos);
  CHECK(told.find("did you mean 'nearest'?") != told.npos);
  CHECK(told.find("wanted an integer from 1 to 10, got 0") != told.npos);
}

TEST_CASE_METHOD(Fixture, "a name that is no target is a mistake of the configuration") {
  for (const char* name : {"a.b.c", "a/b", "digest.", "'#'"}) {
    dir.write("base.yaml", "mesh:\n  policies:\n    " + std::string(name) + ":\n      timeout: 3s\n");
    INFO(name << "\n" << mistakes());
    CHECK(mistakes().find("base.yaml:3:5: mesh.policies.") != std::string::npos);
    CHECK(mistakes().find(": wanted an agent (digest) or agent.method (digest.summary)") != std::string::npos);
  }
}

TEST_CASE("patterns match whole names, with any letters for a star") {
  const auto matches = [](std::string_view pattern, std::string_view agent, std::string_view method) {
    return TargetPattern::parse(pattern).value().matches(agent, method);
  };
  CHECK(matches("digest", "digest", "summary"));
  CHECK_FALSE(matches("digest", "digests", "summary"));
  CHECK(matches("*.slow_*", "any", "slow_"));
  CHECK_FALSE(matches("*.slow_*", "any", "slow"));
  CHECK(matches("a*z.*m*", "abcz", "xmy"));
  CHECK_FALSE(matches("a*z.*m*", "abcy", "xmy"));
  CHECK(matches("*", "", ""));
  CHECK_FALSE(TargetPattern::parse(""));
  CHECK_FALSE(TargetPattern::parse("a."));
  CHECK_FALSE(TargetPattern::parse(".b"));
  CHECK_FALSE(TargetPattern::parse(std::string(65, 'a')));
}

TEST_CASE("a target that was seen is the same policy, also after more targets than are remembered") {
  const Policies policies;
  const auto* first = &policies.policy_for("a.b");
  for (std::size_t i = 0; i < Policies::kTargetsRemembered + 10; ++i)
    (void)policies.policy_for(std::to_string(i) + ".m");
  CHECK(&policies.policy_for("a.b") == first);
}
