// load_document(), parse_document() and the words of the schema check.
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/config/config.hpp"

using namespace weft;
using namespace weft::config;

namespace {

std::string mistakes(std::string_view yaml, const std::string& schema) {
  std::string all;
  for (const auto& mistake : parse_document(yaml, "f.yaml", schema).mistakes) all += mistake.describe() + "\n";
  return all;
}
/// The mistake of a document `v: <yaml>` where `v` has this schema; without its place.
std::string value_mistake(const std::string& schema, const std::string& yaml) {
  const auto result = parse_document("v: " + yaml, "f", "type: object\nproperties:\n  v: " + schema);
  return result.mistakes.empty() ? "" : result.mistakes[0].path + ": " + result.mistakes[0].text;
}

}  // namespace

TEST_CASE("without a schema everything that is YAML is fine") {
  const auto result = parse_document("a: [1, {b: x}]", "f.yaml", "");
  REQUIRE(result.mistakes.empty());
  REQUIRE(to_json(result.document.root) == R"({"a":[1,{"b":"x"}]})");
}

TEST_CASE("each path has its place: maps and lists where their key stands, values where they stand") {
  const auto origins = parse_document("a:\n  b: [x, y]\n  c: 1\n", "f.yaml", "").document.origins;
  REQUIRE(origins.at("a").where() == "f.yaml:1:1");
  REQUIRE(origins.at("a.b").where() == "f.yaml:2:3");
  REQUIRE(origins.at("a.b[1]").where() == "f.yaml:2:10");
  REQUIRE(origins.at("a.c").where() == "f.yaml:3:6");
  REQUIRE(origins.at("").where() == "f.yaml:1:1");
}

TEST_CASE("every kind of wrong value is told as what was wanted and what is there") {
  struct Row {
    const char *schema, *yaml, *wanted;
  };
  const Row table[] = {
      {"{type: integer}", "x", "v: wanted an integer, got text 'x'"},
      {"{type: integer}", "1.5", "v: wanted an integer, got 1.5"},
      {"{type: integer, minimum: 1}", "0", "v: wanted an integer of at least 1, got 0"},
      {"{type: integer, maximum: 9}", "10", "v: wanted an integer of at most 9, got 10"},
      {"{type: integer, minimum: 1, maximum: 9}", "-1", "v: wanted an integer from 1 to 9, got -1"},
      {"{type: number, exclusiveMinimum: 0}", "0", "v: wanted a number above 0, got 0"},
      {"{type: integer, multipleOf: 5}", "7", "v: wanted an integer, a multiple of 5, got 7"},
      {"{type: boolean}", "yes", "v: wanted true or false, got text 'yes'"},
      {"{type: string}", "5", "v: wanted text, got 5 (in quotes it is text)"},
      {"{type: string}", "true", "v: wanted text, got true (in quotes it is text)"},
      {"{type: string}", "[a]", "v: wanted text, got a list of 1 item"},
      {"{type: string}", "", "v: wanted text, got nothing"},
      {"{type: string, minLength: 1}", "''", "v: wanted text that is not empty, got empty text"},
      {"{type: string, maxLength: 2}", "abc", "v: wanted text of at most 2 characters, got text 'abc'"},
      {"{type: string, pattern: '^a+$'}", "b", "v: wanted text that matches ^a+$, got text 'b'"},
      {"{type: string, pattern: '^a+$', x-wanted: some a}", "b", "v: wanted some a, got text 'b'"},
      {"{type: string, enum: [red, green]}", "gren",
       "v: wanted one of red, green, got text 'gren', did you mean 'green'?"},
      {"{const: 1}", "2", "v: wanted 1, got 2"},
      {"{type: array}", "{}", "v: wanted a list, got a map"},
      {"{type: array, minItems: 1}", "[]", "v: wanted a list of at least 1 items, got a list of 0 items"},
      {"{type: array, maxItems: 1}", "[1, 2]", "v: wanted a list of at most 1 items, got a list of 2 items"},
      {"{type: array, items: {type: integer}}", "[1, x]", "v[1]: wanted an integer, got text 'x'"},
      {"{type: object}", "[]", "v: wanted a map, got a list of 0 items"},
      {"{type: object, minProperties: 1}", "{}", "v: wanted a map of at least 1 keys, got a map"},
      {"{type: object, required: [a], properties: {a: {type: integer}}}", "{}", "v.a: missing; wanted an integer"},
      {"{type: object, additionalProperties: {type: integer}}", "{a: x}", "v.a: wanted an integer, got text 'x'"},
      {"{type: [integer, string]}", "[]", "v: wanted an integer or text, got a list of 0 items"},
      {"{anyOf: [{type: integer}, {type: boolean}]}", "x", "v: wanted an integer or true or false, got text 'x'"},
      {"{oneOf: [{type: string}, {type: object, additionalProperties: false, properties: {a: {}}}]}", "{bbb: 1}",
       "v.bbb: unknown key; known here: a"},
      {"{not: {type: string}}", "x", "v: wanted what the schema allows, got text 'x'"},
      {"{type: array, contains: {const: 1}}", "[2]", "v: wanted a list, got a list of 1 item"},
      {"{type: array, uniqueItems: true}", "[2, 2]", "v: wanted a list, each one once, got a list of 2 items"},
      {"{type: object, patternProperties: {'^x': {type: integer}}, additionalProperties: false}", "{x1: 1, y: 2}",
       "v.y: unknown key"},
  };
  for (const auto& row : table) {
    INFO(row.schema << " <- " << row.yaml);
    CHECK(value_mistake(row.schema, row.yaml) == row.wanted);
  }
}

TEST_CASE("durations are told in words, with their bounds") {
  const std::string duration = R"({type: string, pattern: '^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d)$')";
  for (const char* good : {"3s", "1.5h", "0s", "250ms", "1d"}) REQUIRE(value_mistake(duration + "}", good).empty());
  REQUIRE(value_mistake(duration + "}", "3") == "v: wanted a duration such as 500ms or 2s, got 3 (it has no unit)");
  REQUIRE(value_mistake(duration + "}", "3 s") == "v: wanted a duration such as 500ms or 2s, got text '3 s'");
  REQUIRE(value_mistake(duration + "}", "9999999999999d") ==
          "v: wanted a duration such as 500ms or 2s, got text '9999999999999d'");
  const std::string bounded = duration + ", x-minimum: 1s, x-maximum: 1m}";
  REQUIRE(value_mistake(bounded, "1s").empty());
  REQUIRE(value_mistake(bounded, "1m").empty());
  REQUIRE(value_mistake(bounded, "999ms") ==
          "v: wanted a duration such as 500ms or 2s, from 1s to 1m, got text '999ms'");
  REQUIRE(value_mistake(bounded, "61s") == "v: wanted a duration such as 500ms or 2s, from 1s to 1m, got text '61s'");
}

TEST_CASE("a text too long for its pattern is refused, and does not exhaust the stack") {
  const std::string schema = "{type: string, pattern: '^(a|b)+$'}";
  REQUIRE(value_mistake(schema, std::string(1024, 'a')).empty());
  REQUIRE(value_mistake(schema, std::string(60'000, 'a')) ==
          "v: wanted text that matches ^(a|b)+$, got text of 60000 bytes");
}

TEST_CASE("many mistakes are told in order of their lines, those of the text and of the schema alike") {
  const std::string schema =
      "type: object\nadditionalProperties: false\nproperties: {port: {type: integer}, name: {type: string}}";
  REQUIRE(mistakes("prot: 1\nname: 1\nname: 2\nport: x\nother: .nan\n", schema) ==
          "f.yaml:1:1: prot: unknown key, did you mean 'port'?\n"
          "f.yaml:2:7: name: wanted text, got 1 (in quotes it is text)\n"
          "f.yaml:3:1: name: the key is here twice; the first is in line 2\n"
          "f.yaml:4:7: port: wanted an integer, got text 'x'\n"
          "f.yaml:5:1: other: unknown key; known here: name, port\n"
          "f.yaml:5:8: other: infinity and not-a-number cannot stand in a configuration\n");
}

TEST_CASE("a schema may refer to its definitions, and to itself") {
  const std::string schema =
      "type: object\nproperties: {tree: {$ref: '#/definitions/tree'}}\n"
      "definitions:\n  tree: {type: object, additionalProperties: {$ref: '#/definitions/tree'}}\n";
  REQUIRE(mistakes("tree: {a: {b: {c: {}}}}", schema).empty());
  REQUIRE(mistakes("tree: {a: {b: {c: 5}}}", schema) == "f.yaml:1:19: tree.a.b.c: wanted a map, got 5\n");
}

TEST_CASE("a schema that is none is a mistake of its own") {
  REQUIRE(mistakes("a: 1", "{type: 5}").find("schema of f.yaml: is no JSON schema: ") == 0);
  REQUIRE(mistakes("a: 1", "a: [").find("not YAML") != std::string::npos);
  REQUIRE(mistakes("a: 1", "{\"type\": ").find("schema of f.yaml: ") == 0);
  REQUIRE(mistakes("a: 1", "{\"$ref\": \"http://example.com/x\"}").find("is no JSON schema") != std::string::npos);
  REQUIRE(mistakes("a: 1", "{properties: {a: {$ref: '#/definitions/none'}}}").find("is no JSON schema") !=
          std::string::npos);
  REQUIRE(mistakes("a: 1", "{$ref: '#'}").find("is no JSON schema") != std::string::npos);
  REQUIRE(mistakes("a: 1", "{properties: {a: {allOf: [{$ref: '#/properties/a'}]}}}").find("leads back to itself") !=
          std::string::npos);
  REQUIRE(mistakes("a: x", "{properties: {a: {pattern: '('}}}").find("is no JSON schema") != std::string::npos);
}

TEST_CASE("a document is read from a file, against a built-in schema or one in a file") {
  const test::TempDir dir;
  dir.write("fleet.yaml", "mesh: demo\nhosts: {alpha: {adress: 127.0.0.2}}\nagents: {}\n");
  const auto fleet = load_document(dir / "fleet.yaml", "fleet");
  REQUIRE(fleet.mistakes.size() == 2);
  REQUIRE(fleet.mistakes[0].path == "hosts.alpha.address");
  REQUIRE(fleet.mistakes[1].describe() ==
          (dir / "fleet.yaml") + ":2:17: hosts.alpha.adress: unknown key, did you mean 'address'?");
  dir.write("schema.yaml", "{properties: {mesh: {type: integer}}}");
  REQUIRE(load_document(dir / "fleet.yaml", dir / "schema.yaml").mistakes[0].path == "mesh");
  REQUIRE(load_document(dir / "fleet.yaml", dir / "none.yaml").mistakes[0].origin.layer == "schema");
  REQUIRE(load_document(dir / "none.yaml", "fleet").mistakes[0].origin.layer == "file");
}

TEST_CASE("a fleet file may keep what its agents share in x-… sections") {
  const test::TempDir dir;
  dir.write("fleet.yaml",
            "x-worker: &worker\n  restarts_max: 9\n  env: {LOG: info}\nhosts: {alpha: {address: 127.0.0.2}}\n"
            "agents:\n  one: {<<: *worker}\n  two:\n    <<: *worker\n    restarts_max: 1\n");
  const auto fleet = load_document(dir / "fleet.yaml", "fleet");
  for (const auto& mistake : fleet.mistakes) UNSCOPED_INFO(mistake.describe());
  REQUIRE(fleet.mistakes.empty());
  REQUIRE(to_json(fleet.document.root["agents"]) ==
          R"({"one":{"env":{"LOG":"info"},"restarts_max":9},"two":{"env":{"LOG":"info"},"restarts_max":1}})");
  REQUIRE(fleet.document.root["x-worker"].is_null());
  REQUIRE(fleet.document.origins.at("agents.one.restarts_max").where() == (dir / "fleet.yaml") + ":2:17");
  REQUIRE(fleet.document.origins.at("agents.two.restarts_max").where() == (dir / "fleet.yaml") + ":9:19");
}
