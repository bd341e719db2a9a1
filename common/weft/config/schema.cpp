// Walks a schema the way a validator would, to find what is known about a place.
#include "weft/config/schema.hpp"

#include "weft/base/clock.hpp"
#include "weft/base/codes.hpp"
#include "weft/config/yaml.hpp"

namespace weft::config {
namespace {

constexpr int kDepthMax = 32;  // of $ref and of anyOf in each other; a schema that refers to itself ends here

}  // namespace

const Value* resolve_reference(const Value& root, std::string_view reference) {
  if (reference == "#") return &root;
  if (!reference.starts_with("#/")) return nullptr;
  const Value* at = &root;
  for (auto key : split(reference.substr(2), '/')) {
    if (!at->is_map()) return nullptr;
    const auto found = at->as_map().find(key);
    if (found == at->as_map().end()) return nullptr;
    at = &found->second;
  }
  return at;
}

Result<Schema> Schema::parse(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  const auto json = first != text.npos && text[first] == '{' ? from_json(text) : Result<Value>(Value());
  if (json && json->is_map()) return Schema(*json);
  auto parsed = parse_yaml(text, std::make_shared<const Source>(Source{"schema", "schema"}));
  if (!parsed.mistakes.empty()) return Error(codes::bad_config, parsed.mistakes.front().describe());
  return Schema(to_value(parsed.root));
}

void Schema::expand(const Value& schema, At& into, int depth) const {
  if (!schema.is_map() || depth > kDepthMax || into.size() > 256) return;
  if (const Value& reference = schema["$ref"]; reference.is_string()) {
    if (const Value* target = resolve_reference(root_, reference.as_string())) expand(*target, into, depth + 1);
    return;
  }
  into.push_back(&schema);
  for (const char* keyword : {"allOf", "anyOf", "oneOf"}) {
    const Value& branches = schema[keyword];
    if (!branches.is_list()) continue;
    for (const auto& branch : branches.as_list()) expand(branch, into, depth + 1);
  }
  for (const char* keyword : {"then", "else"}) expand(schema[keyword], into, depth + 1);
}

Schema::At Schema::top() const {
  At at;
  expand(root_, at, 0);
  return at;
}

Schema::At Schema::child(const At& at, std::string_view key) const {
  At found;
  for (const Value* schema : at) {
    const Value& properties = (*schema)["properties"];
    const bool known = properties.is_map() && properties.as_map().contains(key);
    expand(known ? properties[key] : (*schema)["additionalProperties"], found, 0);
  }
  return found;
}

Schema::At Schema::item(const At& at, std::size_t index) const {
  At found;
  for (const Value* schema : at) {
    const Value& items = (*schema)["items"];
    if (!items.is_list()) {
      expand(items, found, 0);
    } else {
      expand(index < items.as_list().size() ? items.as_list()[index] : (*schema)["additionalItems"], found, 0);
    }
  }
  return found;
}

Schema::At Schema::at(const Path& path) const {
  At here = top();
  for (const auto& step : path) here = step.is_index ? item(here, step.index) : child(here, step.key);
  return here;
}

Value Schema::defaults_of(const Value& schema, int depth) const {
  if (!schema.is_map() || depth > kDepthMax) return {};
  if (const Value& reference = schema["$ref"]; reference.is_string()) {
    const Value* target = resolve_reference(root_, reference.as_string());
    return target ? defaults_of(*target, depth + 1) : Value();
  }
  Value value = schema["default"];
  const Value& properties = schema["properties"];
  if (!properties.is_map()) return value;
  for (const auto& [key, property] : properties.as_map()) {
    Value inner = defaults_of(property, depth + 1);
    if (inner.is_null() || (!value.is_null() && !value.is_map()) || !value[key].is_null()) continue;
    value.set(key, std::move(inner));
  }
  return value;
}

Value Schema::defaults() const { return defaults_of(root_, 0); }

std::vector<std::string_view> known_keys(const Schema::At& at) {
  std::vector<std::string_view> keys;
  for (const Value* schema : at)
    if (const Value& properties = (*schema)["properties"]; properties.is_map())
      for (const auto& [key, property] : properties.as_map()) keys.emplace_back(key);
  return keys;
}

bool has_keyword(const Schema::At& at, std::string_view keyword) {
  for (const Value* schema : at)
    if (schema->as_map().contains(keyword)) return true;
  return false;
}

bool is_secret(const Schema::At& at) {
  for (const Value* schema : at)
    if ((*schema)["x-secret"] == Value(true)) return true;
  return false;
}

bool is_text_only(const Schema::At& at) {
  bool text = false;
  for (const Value* schema : at) {
    const Value& type = (*schema)["type"];
    if (type.is_null() && (*schema)["enum"].is_null()) continue;
    if (!type.is("string")) return false;
    text = true;
  }
  return text;
}

bool is_secret_reference(const Value& value) {
  if (!value.is_string()) return false;
  const std::string_view text = value.as_string();
  return (text.starts_with("file:") && text.size() > 5) || (text.starts_with("env:") && text.size() > 4);
}

bool is_plain_secret(const Schema::At& at, const Value& value) {
  return is_secret(at) && value.is_string() && !value.as_string().empty() && !is_secret_reference(value);
}

Value hide_secrets(const Schema& schema, const Schema::At& at, const Value& value) {
  if (is_secret(at) && !value.is_null() && value != Value("") && !is_secret_reference(value)) return Value(kHidden);
  if (value.is_list()) {
    Value::List list;
    for (std::size_t i = 0; i < value.as_list().size(); ++i)
      list.push_back(hide_secrets(schema, schema.item(at, i), value.as_list()[i]));
    return list;
  }
  if (!value.is_map()) return value;
  Value::Map map;
  for (const auto& [key, member] : value.as_map())
    map.emplace(key, hide_secrets(schema, schema.child(at, key), member));
  return map;
}

}  // namespace weft::config
