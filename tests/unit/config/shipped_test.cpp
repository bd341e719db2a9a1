// The configuration that is shipped: each layer, schema and fleet file of config/.
#include <filesystem>

#include "tests/support/catch.hpp"
#include "weft/config/config.hpp"
#include "weft/config/schema.hpp"
#include "weft/config/yaml.hpp"

using namespace weft;
using namespace weft::config;

namespace {

const std::string kShipped = WEFT_TEST_DATA "/../../config";

/// The names of the files in a folder of config/, without ".yaml".
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kShipped + "/" + folder))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  return names;
}

}  // namespace

TEST_CASE("every shipped agent's layers are good in every shipped environment") {
  for (const auto& agent : names_in("schema/agents")) {
    for (const auto& environment : names_in("env")) {
      LoadOptions options;
      options.directory = kShipped;
      options.agent = agent;
      options.environment = environment;
      options.host = "test";
      for (const auto& mistake : load(options).mistakes()) FAIL_CHECK(mistake.describe());
    }
  }
}

TEST_CASE("every layer of an agent has a schema") {
  const auto with_schema = names_in("schema/agents");
  for (const auto& agent : names_in("agents")) {
    INFO(agent);
    CHECK(std::find(with_schema.begin(), with_schema.end(), agent) != with_schema.end());
  }
}

TEST_CASE("shipped schemas are schemas, refuse unknown keys, and their defaults fit them") {
  for (const auto& agent : names_in("schema/agents")) {
    INFO(agent);
    const auto parsed = parse_yaml_file(kShipped + "/schema/agents/" + agent + ".yaml", "schema");
    CHECK(parsed.mistakes.empty());
    const Value schema = to_value(parsed.root);
    CHECK(schema["additionalProperties"] == Value(false));
    const Value defaults = Schema(schema).defaults();
    if (defaults.is_null()) continue;
    for (const auto& mistake : parse_document(to_json(defaults), "defaults", to_json(schema)).mistakes)
      FAIL_CHECK(mistake.describe());
  }
}

TEST_CASE("shipped fleet files fit their schema") {
  for (const auto& fleet : names_in("fleets"))
    for (const auto& mistake : load_document(kShipped + "/fleets/" + fleet + ".yaml", "fleet").mistakes)
      FAIL_CHECK(mistake.describe());
}
