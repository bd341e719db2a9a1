#include "weft/base/value.hpp"

template class std::vector<weft::Value>;

namespace weft {
namespace {
const Value kNull;
}

Value::Value(const Value&) = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

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
  if (dotted_path.empty()) return this;
  if (!is_map()) return nullptr;
  for (auto dot = dotted_path.find('.');; dot = dotted_path.find('.', dot + 1)) {  // a key may have dots itself
    const bool whole = dot == std::string_view::npos;
    const auto found = as_map().find(dotted_path.substr(0, dot));
    if (found != as_map().end()) {
      const auto rest = whole ? std::string_view() : dotted_path.substr(dot + 1);
      if (const Value* value = found->second.find(rest)) return value;
    }
    if (whole) return nullptr;
  }
}

std::string_view to_string(Value::Type type) noexcept {
  constexpr std::string_view kNames[] = {"null",   "true or false", "integer", "number",
                                         "string", "bytes",         "list",    "map"};
  return kNames[static_cast<std::size_t>(type)];
}

}  // namespace weft
