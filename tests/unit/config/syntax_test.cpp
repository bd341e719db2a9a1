#include "weft/config/syntax.hpp"

#include "tests/support/catch.hpp"

using namespace weft::config;

TEST_CASE("a quote is open when it does not end") {
  REQUIRE(is_open_quote("a: \"x\n", 1, 4));
  REQUIRE(is_open_quote("a: 'it''s\n", 1, 4));
  REQUIRE(is_open_quote("a: \"x\\\"\n", 1, 4));
  REQUIRE(is_open_quote("b: 1\na: &k !t 'x", 2, 4));
  REQUIRE_FALSE(is_open_quote("a: \"x\\\\\"\n", 1, 4));
  REQUIRE_FALSE(is_open_quote("a: 'it''s'\n", 1, 4));
  REQUIRE_FALSE(is_open_quote("a: ''", 1, 4));
  REQUIRE_FALSE(is_open_quote("a: x'y\n", 1, 4));
}

TEST_CASE("places outside of the text are no open quote") {
  REQUIRE_FALSE(is_open_quote("", 1, 1));
  REQUIRE_FALSE(is_open_quote("a", 9, 9));
  REQUIRE_FALSE(is_open_quote("&", 1, 1));
}

TEST_CASE("a cause that the text shows goes before the parser's words") {
  REQUIRE(explain_syntax("a:\n\tb: 1\n", 2, 3, "illegal map value").column == 1);
  REQUIRE(explain_syntax("a: 1\n<<<<<<< x\nb: 1: 2\n", 3, 5, "illegal map value").line == 2);
  const auto other = explain_syntax("a\n", 1, 2, "something new");
  REQUIRE(other.text == "not YAML: something new");
  REQUIRE(other.column == 2);
}
