#include "weft/config/scalar.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::config;

TEST_CASE("words of the core schema have their types, all others are text") {
  const std::vector<std::pair<std::string, Value>> table = {{"", Value()},
                                                            {"~", Value()},
                                                            {"null", Value()},
                                                            {"nUll", "nUll"},
                                                            {"true", true},
                                                            {"False", false},
                                                            {"TRUE", true},
                                                            {"tRue", "tRue"},
                                                            {"yes", "yes"},
                                                            {"on", "on"},
                                                            {"off", "off"},
                                                            {"n", "n"},
                                                            {"0", 0},
                                                            {"007", 7},
                                                            {"-12", -12},
                                                            {"+5", 5},
                                                            {"0x1F", 31},
                                                            {"0o17", 15},
                                                            {"0b1", "0b1"},
                                                            {"1_000", "1_000"},
                                                            {"0x", "0x"},
                                                            {"0o8", "0o8"},
                                                            {"-0x1", "-0x1"},
                                                            {"12:30", "12:30"},
                                                            {"1.5", 1.5},
                                                            {".5", 0.5},
                                                            {"5.", 5.0},
                                                            {"-1e3", -1000.0},
                                                            {"1e", "1e"},
                                                            {"e5", "e5"},
                                                            {".", "."},
                                                            {"1.2.3", "1.2.3"},
                                                            {"+", "+"},
                                                            {"-", "-"},
                                                            {"3s", "3s"},
                                                            {"127.0.0.1", "127.0.0.1"},
                                                            {"+1.5", 1.5},
                                                            {"1e+2", 100.0},
                                                            {"--1", "--1"},
                                                            {"+-1", "+-1"},
                                                            {"2001-01-01", "2001-01-01"}};
  for (const auto& [word, wanted] : table) {
    INFO(word);
    const auto value = plain_scalar(word);
    REQUIRE(value);
    REQUIRE(*value == wanted);
  }
}

TEST_CASE("integers reach to the ends of 64 bits and not beyond") {
  REQUIRE(plain_scalar("9223372036854775807")->as_int() == std::numeric_limits<std::int64_t>::max());
  REQUIRE(plain_scalar("-9223372036854775808")->as_int() == std::numeric_limits<std::int64_t>::min());
  for (const char* word : {"9223372036854775808", "-9223372036854775809", "0x8000000000000000"}) {
    INFO(word);
    REQUIRE(plain_scalar(word).error().message.find("64 bits") != std::string::npos);
  }
}

TEST_CASE("numbers that JSON cannot hold are mistakes") {
  for (const char* word : {".inf", "-.Inf", "+.INF", ".nan", ".NaN", "1e999"}) {
    INFO(word);
    REQUIRE_FALSE(plain_scalar(word));
  }
  REQUIRE(plain_scalar("-.nan")->is_string());
}

TEST_CASE("an explicit tag decides, and a value that does not fit it is a mistake") {
  const std::string core = "tag:yaml.org,2002:";
  REQUIRE(*tagged_scalar("!", "5") == Value("5"));
  REQUIRE(*tagged_scalar(core + "str", "5") == Value("5"));
  REQUIRE(*tagged_scalar(core + "int", "5") == Value(5));
  REQUIRE(*tagged_scalar(core + "float", "5") == Value(5.0));
  REQUIRE(*tagged_scalar(core + "bool", "true") == Value(true));
  REQUIRE(*tagged_scalar(core + "null", "") == Value());
  REQUIRE_FALSE(tagged_scalar(core + "int", "x"));
  REQUIRE_FALSE(tagged_scalar(core + "bool", "yes"));
  REQUIRE_FALSE(tagged_scalar(core + "binary", "aGk="));
  REQUIRE_FALSE(tagged_scalar("!point", "1"));
}
