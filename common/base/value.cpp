#include "weft/base/value.hpp"

namespace weft {
namespace {
const Value kNull;
}

const Value& Value::operator[](std::string_view key) const noexcept {
  if (!is_map()) return kNull;
  const auto found = as_map().find(key);
  return found == as_map().end() ? kNull : found->second;
}

Value& Value::set(std::string key, Value value) {
  if (is_null()) data_ = Map();
  return as_map()[std::move(key)] = std::move(value);
}

const Value* Value::find(std::string_view dotted_path) const noexcept {
  const Value* at = this;
  while (!dotted_path.empty()) {
    const auto dot = dotted_path.find('.');
    const auto key = dotted_path.substr(0, dot);
    dotted_path = dot == std::string_view::npos ? std::string_view() : dotted_path.substr(dot + 1);
    if (!at->is_map()) return nullptr;
    const auto found = at->as_map().find(key);
    if (found == at->as_map().end()) return nullptr;
    at = &found->second;
  }
  return at;
}

std::string_view to_string(Value::Type type) noexcept {
  constexpr std::string_view kNames[] = {"null",   "true or false", "integer", "number",
                                         "string", "bytes",         "list",    "map"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace weft
