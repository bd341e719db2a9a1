#include "tests/support/catch.hpp"

#include "weft/base/base.hpp"
#include "weft/base/target.hpp"

using namespace weft;

TEST_CASE("a target has an agent and a method") {
  const auto target = Target::parse("digest.summary");
  REQUIRE(target);
  CHECK(target->agent() == "digest");
  CHECK(target->method() == "summary");
  CHECK(target->text() == "digest.summary");
  CHECK(*target == Target::parse("digest.summary").value());
  CHECK_FALSE(*target == Target::parse("digest.other").value());
}

TEST_CASE("a text is no target unless it is two names joined by a dot") {
  for (const std::string text : {"", ".", "digest", "digest.", ".summary", "digest.sum mary", "dig est.summary",
                                 "digest.summary.now", "digest..summary"}) {
    CAPTURE(text);
    const auto target = Target::parse(text);
    REQUIRE_FALSE(target);
    CHECK(target.error().is(codes::bad_name));
    CHECK(target.error().message == "'" + text + "' is no target such as agent.method");
  }
  const std::string longest(kNameMax, 'x');
  CHECK(Target::parse(longest + "." + longest));
  CHECK_FALSE(Target::parse(longest + "x.y"));
  CHECK_FALSE(Target::parse("y." + longest + "x"));
}

TEST_CASE("the error quotes no more of a long text than a target can have") {
  const auto target = Target::parse(std::string(10'000, 'x'));
  REQUIRE_FALSE(target);
  CHECK(target.error().message.size() < 200);
}

TEST_CASE("splitting takes the first dot and checks nothing") {
  CHECK(split_target("a.b.c").agent == "a");
  CHECK(split_target("a.b.c").method == "b.c");
  CHECK(split_target("a").agent == "a");
  CHECK(split_target("a").method.empty());
  CHECK_FALSE(split_target("a").complete());
  CHECK_FALSE(split_target("a.").complete());
  CHECK_FALSE(split_target(".b").complete());
  CHECK(split_target("*.b").complete());
}
