#include "agents/logwatch/rules.hpp"

#include "agents/logwatch/limiter.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::logwatch;

namespace {
Rule rule(std::string name, std::string pattern, std::string files = "*") {
  Rule made;
  made.name = std::move(name);
  made.pattern = std::move(pattern);
  made.files = std::move(files);
  return made;
}
}  // namespace

TEST_CASE("a line is matched by each rule for itself, anywhere in the line") {
  const auto rules = RuleSet::make({rule("oom", "Out of memory"), rule("kill", "(?i)killed"), rule("all", "^x$")});
  REQUIRE(rules);
  const auto both = rules->match("/var/log/kern.log", "kernel: Out of memory: Killed process 7");
  REQUIRE(both.size() == 2);
  CHECK(both[0].rule == 0);
  CHECK(both[1].rule == 1);
  CHECK(rules->match("/f", "fine").empty());
  CHECK(rules->match("/f", "x").size() == 1);
}

TEST_CASE("named groups are values, those that took no part are left out") {
  const auto rules =
      RuleSet::make({rule("oom", R"(Killed process (?P<pid>\d+) \((?P<name>[^)]*)\)( by (?P<who>\w+))?)")});
  const auto matches = rules->match("/f", "Killed process 123 (my app) now");
  REQUIRE(matches.size() == 1);
  CHECK(matches[0].groups == std::map<std::string, std::string>{{"pid", "123"}, {"name", "my app"}});
}

TEST_CASE("a rule looks only at its files") {
  const auto rules = RuleSet::make({rule("a", "x", "/var/log/app/*"), rule("b", "x", "*.err")});
  CHECK(rules->match("/var/log/app/deep/a.log", "x").size() == 1);
  CHECK(rules->match("/var/log/app/a.err", "x").size() == 2);
  CHECK(rules->match("/tmp/a.log", "x").empty());
}

TEST_CASE("no rules match nothing") { CHECK(RuleSet::make({})->match("/f", "x").empty()); }

TEST_CASE("every wrong rule is told at once") {
  const auto made = RuleSet::make({rule("ok", "x"), rule("open", "(x"), rule("bad.name", "x"), rule("ok", "back\\1")});
  REQUIRE_FALSE(made);
  CHECK(made.error().is(codes::bad_value));
  const auto& text = made.error().message;
  CHECK(text.find("rule 'open': pattern: missing )") != std::string::npos);
  CHECK(text.find("rule 'bad.name'") != std::string::npos);
  CHECK(text.find("rule 'ok': the name is used twice") != std::string::npos);
  CHECK(text.find("rule 'ok': pattern") != std::string::npos);
}

TEST_CASE("a pattern that costs others exponential time costs no more than a line") {
  const auto rules = RuleSet::make({rule("evil", "(a+)+$"), rule("two", "(x|xx)*y")});
  CHECK(rules->match("/f", std::string(16'000, 'a') + "!").empty());
  CHECK(rules->match("/f", std::string(16'000, 'x')).empty());
}

TEST_CASE("binary junk is looked at like any line") {
  const auto rules = RuleSet::make({rule("tail", "end$")});
  const std::string junk("\xff\xfe\0\x80 end", 8);
  CHECK(rules->match("/f", junk).size() == 1);
  CHECK(rules->match("/f", std::string(1000, '\0')).empty());
}

TEST_CASE("a limiter lets a burst through, then its rate, and tells what it kept back") {
  const TimePoint start{1h};
  Limiter limiter(2, 3);
  for (int i = 0; i < 3; ++i) CHECK(limiter.allow(start));
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limiter.allow(start));
  CHECK(limiter.take_suppressed(start) == 0);
  CHECK(limiter.take_suppressed(start + 500ms) == 5);
  CHECK(limiter.take_suppressed(start + 600ms) == 0);
  CHECK(limiter.allow(start + 600ms));
  CHECK_FALSE(limiter.allow(start + 600ms));
  CHECK(limiter.allow(start + 1h));
}
