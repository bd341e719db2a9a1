// Feeds arbitrary text to the configuration loader: as a fleet file, as a layer, as --set and variable, as a schema.
#include <cstdint>

#include "weft/config/config.hpp"

namespace {

using namespace weft;
using namespace weft::config;

void check(const Loaded& loaded) {
  for (const auto& mistake : loaded.mistakes()) (void)mistake.describe();
  if (!loaded.ok()) return;
  (void)loaded.config().redacted();
  (void)loaded.config().explain("log.level");
  if (loaded.config().hash().size() != 16) __builtin_trap();
}

constexpr std::string_view kSchema =
    R"({"type": "object", "required": ["mesh"], "properties": {"mesh": {"type": "string", "pattern": "^[a-z]+$"},)"
    R"( "agents": {"type": "object", "additionalProperties": {"oneOf": [{"type": "integer", "minimum": 3},)"
    R"( {"type": "object", "additionalProperties": false, "properties": {"on": {"type": "array", "items":)"
    R"( {"enum": ["alpha", "beta"]}}, "env": {"$ref": "#/definitions/env"}}}]}}},)"
    R"( "definitions": {"env": {"type": "object", "additionalProperties": {"type": "string"}}}})";

/// What was read is written and read again as the same value.
void round_trip(const Value& value) {
  const auto again = parse_document(to_yaml(value), "again", "");
  if (again.mistakes.empty() && again.document.root != value) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = parse_document(text, "fuzz", std::string(kSchema));
  for (const auto& mistake : document.mistakes) (void)mistake.describe();
  round_trip(document.document.root);
  (void)parse_document("a: {b: 1, c: [x]}", "fuzz", std::string(text));

  LoadOptions options;
  options.host = "fuzz";
  options.agent = "fuzz";
  options.agent_schema =
      R"({"type": "object", "properties": {"s": {"type": "string", "x-secret": true}, "n": {"type": "integer"},)"
      R"( "t": {"type": "string", "pattern": "^[a-z]+$"}}})";
  options.defaults = text;
  options.sets = {std::string(text.substr(0, text.find('\n')))};
  options.variables = {{"WEFT__AGENT__N", std::string(text.substr(0, 16))}};
  check(load(options));
  return 0;
}
