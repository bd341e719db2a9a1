// docs/configuration.md lists every key of the schema, with what it wants and its default.
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/support/catch.hpp"
#include "weft/config/built_in.hpp"

using namespace weft;
using namespace weft::config;

namespace {

std::string described(const Schema::At& at) {
  for (const Value* schema : at)
    if (const Value& text = (*schema)["description"]; text.is_string()) return text.as_string();
  return "";
}

void rows(const Schema& schema, const Schema::At& at, const std::string& path, const Value& defaults,
          std::string& out) {
  const auto keys = known_keys(at);
  for (const auto key : keys) {
    const auto below = schema.child(at, key);
    rows(schema, below, join(path, key), defaults[key], out);
  }
  if (!keys.empty()) return;
  const std::string initial = defaults.is_null() ? "" : "`" + to_json(defaults) + "`";
  out += "| `" + path + "` | " + wanted(at) + " | " + initial + " | " + described(at) + " |\n";
}

}  // namespace

TEST_CASE("the documentation lists every key with what it wants and its default") {
  std::ifstream file(WEFT_TEST_DATA "/../../docs/configuration.md");
  std::stringstream page;
  page << file.rdbuf();
  std::string table;
  rows(core_schema(), core_schema().top(), "", core_schema().defaults(), table);
  const bool listed = page.str().find(table) != std::string::npos;
  if (!listed) std::cerr << "docs/configuration.md is to have this table:\n" << table;  // Catch would wrap its lines
  REQUIRE(listed);
}

TEST_CASE("every key of the schema says what it is for") {
  std::string table;
  rows(core_schema(), core_schema().top(), "", core_schema().defaults(), table);
  INFO(table);
  REQUIRE(table.find("|  |\n") == std::string::npos);
}
