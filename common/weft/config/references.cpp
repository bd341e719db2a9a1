// References of a schema that lead nowhere, or in a circle around one value: the validator would follow them for ever.
#include <map>

#include "weft/base/codes.hpp"
#include "weft/config/schema.hpp"

namespace weft::config {
namespace {

enum class Color : std::uint8_t { open, done };

class References {
 public:
  explicit References(const Value& root) : root_(root) {}

  /// Every map in the schema is taken for a subschema: a `properties` that holds a key "$ref" is not worth telling
  /// apart.
  Result<void> check(const Value& value) {
    if (value.is_list()) {
      for (const auto& item : value.as_list())
        if (auto good = check(item); !good) return good;
    }
    if (!value.is_map()) return {};
    if (auto good = follow(value); !good) return good;
    for (const auto& [key, member] : value.as_map())
      if (auto good = check(member); !good) return good;
    return {};
  }

 private:
  /// Along everything that speaks about the same value as `schema` does.
  Result<void> follow(const Value& schema) {
    if (!schema.is_map()) return {};
    const auto [found, is_new] = colors_.emplace(&schema, Color::open);
    if (!is_new)
      return found->second == Color::done ? Result<void>()
                                          : Error(codes::bad_config, "a $ref that leads back to itself");
    if (const Value& reference = schema["$ref"]; reference.is_string()) {
      const Value* target = resolve_reference(root_, reference.as_string());
      if (!target)
        return Error(codes::bad_config, "the $ref '" + reference.as_string() + "' leads nowhere in this file");
      if (auto good = follow(*target); !good) return good;
    }
    for (const char* keyword : {"allOf", "anyOf", "oneOf"}) {
      if (!schema[keyword].is_list()) continue;
      for (const auto& branch : schema[keyword].as_list())
        if (auto good = follow(branch); !good) return good;
    }
    for (const char* keyword : {"not", "if", "then", "else"})
      if (auto good = follow(schema[keyword]); !good) return good;
    colors_[&schema] = Color::done;
    return {};
  }

  const Value& root_;
  std::map<const Value*, Color> colors_;
};

}  // namespace

Result<void> check_references(const Value& schema) { return References(schema).check(schema); }

}  // namespace weft::config
