#include "weft/config/utf8.hpp"

#include "tests/support/catch.hpp"

using namespace weft::config;

TEST_CASE("well-formed text of one to four bytes a character passes") {
  for (const char* text : {"", "a: b\r\n\tc", "ü", "€", "𝄞",
                           "\xEF\xBB\xBF"
                           "a"})
    REQUIRE_FALSE(first_bad_character(text));
}

TEST_CASE("the first byte that is no UTF-8 is told with line and column") {
  const auto bad = first_bad_character("a: 1\nü: \xFF");
  REQUIRE(bad);
  REQUIRE(bad->line == 2);
  REQUIRE(bad->column == 4);
  // overlong, surrogate, beyond U+10FFFF, cut short, stray continuation
  for (const char* text :
       {"\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80", "\xF0\x9D\x84"})
    REQUIRE(first_bad_character(text));
}

TEST_CASE("control characters are no text") {
  REQUIRE(first_bad_character(std::string_view("a\0b", 3))->column == 2);
  REQUIRE(first_bad_character("\x1b[31m")->what == "a control character");
  REQUIRE(first_bad_character("a\x7f"));
}
