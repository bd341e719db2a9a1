// Feeds arbitrary text to the configuration loader: as a fleet file, as a layer, as --set and variable, as a schema.
#include <cstdint>

#include "weft/config/config.hpp"

namespace {

using namespace weft;
using namespace weft::config;

const Loaded& check(const Loaded& loaded) {
  if (!loaded.ok()) return loaded;
  (void)loaded.config().redacted();
  (void)loaded.config().explain("log.level");
  if (loaded.config().hash().size() != 16) __builtin_trap();
  return loaded;
}

/// What was read is written and read again as the same value.
void round_trip(const Value& value) {
  const auto again = parse_document(to_yaml(value), "again", "");
  if (again.mistakes.empty() && again.document.root != value) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const std::string fleet_schema{built_in_schema("fleet")};
  const auto fleet = parse_document(text, "fuzz", fleet_schema);
  for (const auto& mistake : fleet.mistakes) (void)mistake.describe();
  if (const auto any = parse_document(text, "fuzz", ""); any.mistakes.empty()) round_trip(any.document.root);
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
  (void)check(load(options));
  options.defaults.clear();
  (void)check(load(options));
  return 0;
}
