// One file against one schema: the fleet file.
#include "weft/config/check.hpp"
#include "weft/config/yaml.hpp"

namespace weft::config {
namespace {

void locate(const Node& node, const std::string& path, Document& document) {
  document.origins[path] = node.origin();
  for (std::size_t i = 0; i < node.items.size(); ++i) locate(node.items[i], join(path, i), document);
  for (const auto& [key, member] : node.members) locate(member, join(path, key), document);
}

DocumentResult finish(Parsed parsed, const Schema& schema, const std::string& schema_name) {
  DocumentResult result;
  result.mistakes = std::move(parsed.mistakes);
  if (parsed.usable) {
    drop_anchor_sections(parsed.root);
    auto found = check(schema, parsed.root, "", schema_name);
    std::move(found.begin(), found.end(), std::back_inserter(result.mistakes));
    result.document.root = to_value(parsed.root);
    locate(parsed.root, "", result.document);
  }
  tidy(result.mistakes);
  return result;
}

DocumentResult bad_schema(const std::string& name, const std::string& text) {
  return {{}, {{{"schema", name, 0, 0}, "", text}}};
}

}  // namespace

DocumentResult load_document(const std::string& file, const std::string& schema_file) {
  Schema schema;
  if (const auto text = built_in_schema(schema_file); !text.empty()) {
    auto parsed = Schema::parse(text);
    if (!parsed) return bad_schema(schema_file, parsed.error().message);
    schema = std::move(*parsed);
  } else {
    Parsed parsed = parse_yaml_file(schema_file, "schema");
    if (!parsed.mistakes.empty()) return {{}, std::move(parsed.mistakes)};
    schema = Schema(to_value(parsed.root));
  }
  return finish(parse_yaml_file(file, "file"), schema, schema_file);
}

DocumentResult parse_document(std::string_view yaml, const std::string& name, const std::string& schema) {
  Schema parsed_schema;
  if (!schema.empty()) {
    auto parsed = Schema::parse(schema);
    if (!parsed) return bad_schema("schema of " + name, parsed.error().message);
    parsed_schema = std::move(*parsed);
  }
  return finish(parse_yaml(yaml, std::make_shared<const Source>(Source{"file", name})), parsed_schema,
                "schema of " + name);
}

}  // namespace weft::config
