#include "weft/config/yaml.hpp"

#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::config;

namespace {

Parsed parse(std::string_view text, const YamlLimits& limits = {}) {
  return parse_yaml(text, std::make_shared<const Source>(Source{"base", "f.yaml"}), limits);
}
std::string mistakes(std::string_view text, const YamlLimits& limits = {}) {
  std::string all;
  for (const auto& mistake : parse(text, limits).mistakes) all += mistake.describe() + "\n";
  return all;
}
std::string json(std::string_view text) {
  const auto parsed = parse(text);
  for (const auto& mistake : parsed.mistakes) UNSCOPED_INFO(mistake.describe());
  REQUIRE(parsed.mistakes.empty());
  return to_json(to_value(parsed.root));
}

}  // namespace

TEST_CASE("an empty file, a comment and an empty document are nothing") {
  for (const char* text : {"", "\n\n", "# nothing\n", "---\n", "---\n...\n"}) {
    INFO(text);
    const auto parsed = parse(text);
    REQUIRE(parsed.mistakes.empty());
    REQUIRE(parsed.root.is_null());
  }
}

TEST_CASE("maps, lists and scalars in block and flow style become a tree") {
  REQUIRE(json("a: 1\nb: [x, 'y', 2]\nc: {d: true, e: }\nf:\n- g\n- - h\n") ==
          R"({"a":1,"b":["x","y",2],"c":{"d":true,"e":null},"f":["g",["h"]]})");
  REQUIRE(json("a: |\n  two\n  lines\nb: >-\n  one\n  line\n") == R"({"a":"two\nlines\n","b":"one line"})");
  REQUIRE(json("1: a\ntrue: b\n") == R"({"1":"a","true":"b"})");
  REQUIRE(json("\xEF\xBB\xBF"
               "a: ü") == R"({"a":"ü"})");
}

TEST_CASE("each value and key knows its line and column") {
  const auto root = parse("a: 1\nb:\n  c:  [x, y]\n").root;
  const Node& b = root.members.at("b");
  REQUIRE(root.members.at("a").place.origin().where() == "f.yaml:1:4");
  REQUIRE(b.origin().where() == "f.yaml:2:1");
  REQUIRE(b.members.at("c").items[1].place.origin().where() == "f.yaml:3:11");
}

TEST_CASE("aliases repeat what their anchor stands for") {
  REQUIRE(json("a: &x {b: [1]}\nc: *x\n") == R"({"a":{"b":[1]},"c":{"b":[1]}})");
  REQUIRE(json("&k key: 1\nb: *k\n") == R"({"b":"key","key":1})");
  REQUIRE(mistakes("a: *nowhere\n") == "f.yaml:1:4: not YAML: an alias '*name' without an anchor '&name' before it\n");
  REQUIRE(mistakes("a: &x [*x]\n") == "f.yaml:1:8: a[0]: an alias inside of what it stands for\n");
}

TEST_CASE("a merge key adds the keys that the map does not have, wherever it is written") {
  REQUIRE(json("d: &d {a: 1, b: 2}\nx:\n  <<: *d\n  b: 3\ny:\n  b: 4\n  <<: *d\n") ==
          R"({"d":{"a":1,"b":2},"x":{"a":1,"b":3},"y":{"a":1,"b":4}})");
  REQUIRE(json("a: {<<: {b: 1}, c: 2}\n") == R"({"a":{"b":1,"c":2}})");
  REQUIRE(json("a: &a {x: 1}\n<<: *a\n") == R"({"a":{"x":1},"x":1})");
  REQUIRE(json("a: &a {}\nb: {<<: *a}\nc: {<<: []}\n") == R"({"a":{},"b":{},"c":{}})");
}

TEST_CASE("of a list of merged maps the first that has a key wins, and maps below are not mixed") {
  REQUIRE(json("a: &a {k: 1, m: {x: 1}}\nb: &b {k: 2, l: 2, m: {y: 2}}\nc: {<<: [*a, *b], n: 3}\n") ==
          R"({"a":{"k":1,"m":{"x":1}},"b":{"k":2,"l":2,"m":{"y":2}},"c":{"k":1,"l":2,"m":{"x":1},"n":3}})");
}

TEST_CASE("a merged map may itself have merged one, and a merge key may be below another") {
  REQUIRE(json("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, in: {<<: [*a], z: 3}}\n") ==
          R"({"a":{"x":1},"b":{"x":1,"y":2},"c":{"in":{"x":1,"z":3},"x":1,"y":2}})");
}

TEST_CASE("a merged key and value are where they are written, not where they are merged") {
  const auto root = parse("a: &a\n  x: 1\n  m: {y: 2}\nb:\n  <<: *a\n").root;
  const Node& b = root.members.at("b");
  REQUIRE(b.members.at("x").place.origin().where() == "f.yaml:2:6");
  REQUIRE(b.members.at("x").key.origin().where() == "f.yaml:2:3");
  REQUIRE(b.members.at("m").origin().where() == "f.yaml:3:3");
}

TEST_CASE("a quoted merge key is a key like any other, and is written in quotes") {
  REQUIRE(json("'<<': 1\n") == R"({"<<":1})");
  REQUIRE(json(to_yaml(Value(Value::Map{{"<<", Value(Value::Map{{"a", Value(1)}})}}))) == R"({"<<":{"a":1}})");
}

TEST_CASE("a merge key with something else than maps is a mistake at its place") {
  REQUIRE(mistakes("a:\n  <<: text\n") ==
          "f.yaml:2:7: a.<<: wanted a map to merge, as in '<<: *name' or '<<: [*first, *second]'\n");
  REQUIRE(mistakes("a: {<<: [{b: 1}, 2]}\n") ==
          "f.yaml:1:18: a.<<: wanted a map to merge, as in '<<: *name' or '<<: [*first, *second]'\n");
  REQUIRE(mistakes("a: {<<: {b: 1}, <<: {c: 2}}\n") ==
          "f.yaml:1:17: a.<<: the key is here twice; several maps are merged by '<<: [*first, *second]'\n");
  REQUIRE(mistakes("a: &a {<<: *a}\n") == "f.yaml:1:12: a.<<: an alias inside of what it stands for\n");
}

TEST_CASE("merge keys are counted like the aliases that they are, before anything is copied") {
  std::string text = "a0: &a0 {k0: 1, k1: 1, k2: 1, k3: 1, k4: 1, k5: 1, k6: 1, k7: 1, k8: 1, k9: 1}\n";
  for (int i = 1; i < 40; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {in: {<<: [" + below;
    for (int j = 1; j < 10; ++j) text += ", " + below;
    text += "], b: " + below + "}}\n";
  }
  const auto parsed = parse(text);
  REQUIRE_FALSE(parsed.usable);
  REQUIRE(parsed.mistakes.back().describe().find("more than 100000 values") != std::string::npos);
}

TEST_CASE("aliases cannot nest deeper than the text may") {
  std::string text = "a0: &a0 {in: {in: {in: {in: 1}}}}\n";
  for (int i = 1; i < 40; ++i)
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " {in: *a" + std::to_string(i - 1) + "}\n";
  REQUIRE(mistakes(text).empty());
  text += "z: " + std::string(30, '[') + "*a39" + std::string(30, ']') + "\n";
  REQUIRE(mistakes(text).find("f.yaml:41:") == 0);
  REQUIRE(mistakes(text).find("nested deeper than 64") != std::string::npos);
}

TEST_CASE("a billion laughs are refused before they are told") {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + below;
    for (int j = 1; j < 10; ++j) text += ", " + below;
    text += "]\n";
  }
  REQUIRE(mistakes(text).find("more than 100000 values") != std::string::npos);
  std::string long_text = "a: &a '" + std::string(60'000, 'x') + "'\nb: [";
  for (int i = 0; i < 1000; ++i) long_text += "*a, ";
  REQUIRE(mistakes(long_text + "]\n").find("more than 8388608 bytes") != std::string::npos);
}

TEST_CASE("what is nested deeper than 64 is refused, in every style") {
  REQUIRE(mistakes(std::string(64, '[') + std::string(64, ']')).empty());
  REQUIRE(mistakes(std::string(65, '[') + std::string(65, ']')).find("nested deeper than 64") != std::string::npos);
  for (const char* one : {"[", "{a: ", "- ", "? "}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += one;
    INFO(one);
    REQUIRE_FALSE(parse(text).usable);
  }
}

TEST_CASE("files, texts and keys over their limits are refused") {
  REQUIRE(mistakes("a: " + std::string(1024 * 1024, 'x')) == "f.yaml:1:1: larger than 1048576 bytes\n");
  REQUIRE(mistakes("a: " + std::string(65'536, 'x')).empty());
  REQUIRE(mistakes("a: " + std::string(65'537, 'x')) == "f.yaml:1:4: a: a text of more than 65536 bytes\n");
  REQUIRE(mistakes("? " + std::string(257, 'k') + "\n: 1\n").find("a key of more than 256 bytes") != std::string::npos);
  REQUIRE(mistakes("[1, 2, 3, 4]", {.values = 4}).find("more than 4 values") != std::string::npos);
  REQUIRE(mistakes("[1, 2, 3]", {.values = 4}).empty());
}

TEST_CASE("a key twice in one map is told with the first one's line, and the first one's value stays") {
  const auto parsed = parse("a: 1\nb: {c: 1, c: 2}\na: [3]\n");
  REQUIRE(parsed.mistakes.size() == 2);
  REQUIRE(parsed.mistakes[0].describe() == "f.yaml:2:11: b.c: the key is here twice; the first is in line 2");
  REQUIRE(parsed.mistakes[1].describe() == "f.yaml:3:1: a: the key is here twice; the first is in line 1");
  REQUIRE(to_json(to_value(parsed.root)) == R"({"a":1,"b":{"c":1}})");
}

TEST_CASE("keys that are no text are mistakes, and what follows is still read") {
  REQUIRE(mistakes("? {a: b}\n: c\nd: 99999999999999999999\n") ==
          "f.yaml:1:3: a map or list cannot be a key\n"
          "f.yaml:3:4: d: an integer of more than 64 bits; put it in quotes if it is text\n");
  REQUIRE(mistakes("a:\n  : 1\n") == "f.yaml:2:3: a: an empty key\n");
  REQUIRE(mistakes("a: &x 5\n*x : 1\n") == "f.yaml:2:1: this cannot be a key; keys are text\n");
}

TEST_CASE("tags that are not known are told, on values, lists and maps") {
  REQUIRE(mistakes("a: !env X\n").find("f.yaml:1:4: a: the tag '!env' is not known here") == 0);
  REQUIRE(mistakes("a: !!set {b}\n").find("is not known here") != std::string::npos);
  REQUIRE(mistakes("a: !!map {b: 1}\nc: !!seq []\nd: !!str 5\n").empty());
}

TEST_CASE("one file holds one document") {
  REQUIRE(mistakes("a: 1\n---\nb: 2\n").find("a second document begins here") != std::string::npos);
  REQUIRE(mistakes("--- a\n--- b\n").find("stray text before the first key") != std::string::npos);
}

TEST_CASE("what is no UTF-8 text is told with its place") {
  REQUIRE(mistakes("a: 1\nb: \xff\n") == "f.yaml:2:4: not YAML: a byte that is no UTF-8 text\n");
  REQUIRE(mistakes(std::string_view("a: \0", 4)) == "f.yaml:1:4: not YAML: a control character\n");
}

TEST_CASE("slips that people make in YAML are told at their line and column") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"map-value-in-text.yaml", ":8:29: not YAML: a ':' where no value can begin"},
      {"stray-text.yaml", ":1:1: not YAML: stray text before the first key"},
      {"open-bracket.yaml", ":4:7: not YAML: a '{' before it has no '}'"},
      {"tab.yaml", ":3:1: not YAML: a tab in the indentation"},
      {"open-quote.yaml", ":1:7: not YAML: a quote that is never closed"},
      {"indentation.yaml", ":4:3: not YAML: this line does not fit the map around it"},
      {"merge-conflict.yaml", ":2:1: not YAML: a merge conflict that is not resolved"},
      {"duplicate.yaml", ":5:3: hosts.alpha: the key is here twice; the first is in line 3"},
  };
  for (const auto& [name, wanted] : table) {
    INFO(name);
    const auto parsed = parse_yaml_file(WEFT_TEST_DATA "/config/" + name, "file");
    REQUIRE_FALSE(parsed.mistakes.empty());
    REQUIRE(parsed.mistakes[0].describe().find(name + wanted) != std::string::npos);
  }
}

TEST_CASE("a file that is not there, a folder, and one that is empty") {
  const test::TempDir dir;
  dir.write("empty.yaml", "");
  REQUIRE(parse_yaml_file(dir / "none.yaml", "base").mistakes[0].text == "cannot be opened: No such file or directory");
  REQUIRE_FALSE(parse_yaml_file(dir.path(), "base").usable);
  REQUIRE(parse_yaml_file(dir / "empty.yaml", "base").mistakes.empty());
}
