#include "tests/support/catch.hpp"
#include "weft/config/config.hpp"

using namespace weft;
using namespace weft::config;

TEST_CASE("YAML for people is in block style, with quotes only where they are needed") {
  const auto value =
      from_json(R"({"b": [1, {"c": "x y", "d": []}, [2, "3"]], "a": {}, "e": "tcp://h:1", "f": "off", "g": null})");
  REQUIRE(to_yaml(*value) ==
          "a: {}\nb:\n  - 1\n  - c: x y\n    d: []\n  - - 2\n    - \"3\"\ne: tcp://h:1\nf: \"off\"\ng: null\n");
  REQUIRE(to_yaml(Value("x")) == "x\n");
  REQUIRE(to_yaml(Value(Value::Map())) == "{}\n");
  REQUIRE(to_yaml(Value(Value::List{})) == "[]\n");
}

TEST_CASE("what is written as YAML reads back as the same value") {
  Value::List texts;
  for (const char* text :
       {"",     " ",    "a ",   " a",   "a: b", "a:",  "- a", "#a", "a #b", "'",    "\"",   "\n",  "a\nb\n", "\t",  "~",
        "null", "true", "1",    "1.5",  "0x1",  "-",   "?",   "*a", "&a",   "!a",   "%a",   "@a",  "`a",     "[",   "{",
        "a, b", "ü",    "\x7f", "\x01", "---",  "...", "<<",  "=",  "yes",  "a\\b", ".inf", "1e3", "{{x}}",  "${x}"})
    texts.emplace_back(text);
  Value::Map keys;
  for (const auto& text : texts)
    if (!text.as_string().empty()) keys.emplace(text.as_string(), 1);
  const Value::Map all = {{"texts", texts},
                          {"keys", keys},
                          {"numbers", Value::List{1, -1, 5.0, 0.1, 1e300, -2.5e-9, 9223372036854775807}},
                          {"others", Value::List{Value(), true, false, Value::List{}, Value::Map{}}},
                          {"deep", Value::List{Value::List{Value::Map{{"a", Value::List{Value::Map{{"b", 1}}}}}}}}};
  const std::string yaml = to_yaml(all);
  const auto again = parse_document(yaml, "f", "");
  for (const auto& mistake : again.mistakes) UNSCOPED_INFO(mistake.describe());
  INFO(yaml);
  REQUIRE(again.mistakes.empty());
  REQUIRE(again.document.root == Value(all));
}
