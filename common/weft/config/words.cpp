// What a schema wants and what it got instead, in the words of a person.
#include <fmt/format.h>

#include "weft/base/clock.hpp"
#include "weft/base/text.hpp"
#include "weft/config/schema.hpp"

namespace weft::config {
namespace {

std::string show(const Value& value) {
  if (value.is_string()) return value.as_string();
  if (value.type() == Value::Type::number) return fmt::format("{}", value.as_double());
  return to_json(value);
}

std::string enumerate(const Value& allowed) {
  std::string text;
  const auto& list = allowed.as_list();
  for (std::size_t i = 0; i < list.size(); ++i) text += (i == 0 ? "" : ", ") + show(list[i]);
  return list.size() == 1 ? text : "one of " + text;
}

/// " from 1 to 10", " of at least 1", "": bounds as a person says them.
std::string range(const Value& low, const Value& high, const char* both = " from ") {
  const bool from = !low.is_null(), to = !high.is_null();
  if (from && to) return both + show(low) + " to " + show(high);
  if (from) return " of at least " + show(low);
  if (to) return " of at most " + show(high);
  return "";
}

/// The same for how many there are of something.
std::string amount(const Value& low, const Value& high, const char* unit) {
  const std::string text = range(low, high, " of ");
  return text.empty() ? text : text + unit;
}

std::string numeric(const Value& schema, std::string name) {
  name += range(schema["minimum"], schema["maximum"]);
  if (const Value& above = schema["exclusiveMinimum"]; above.is_number()) name += " above " + show(above);
  if (const Value& below = schema["exclusiveMaximum"]; below.is_number()) name += " below " + show(below);
  if (const Value& step = schema["multipleOf"]; step.is_number()) name += ", a multiple of " + show(step);
  return name;
}

std::string text_wanted(const Value& schema) {
  const Value& pattern = schema["pattern"];
  if (pattern == Value(std::string(kDurationPattern)))
    return "a duration such as 500ms or 2s" + range(schema["x-minimum"], schema["x-maximum"], ", from ");
  if (pattern.is_string()) return "text that matches " + pattern.as_string();
  if (schema["minLength"] == Value(1) && schema["maxLength"].is_null()) return "text that is not empty";
  return "text" + amount(schema["minLength"], schema["maxLength"], " characters");
}

std::string type_wanted(const Value& schema, std::string_view type) {
  if (type == "string") return text_wanted(schema);
  if (type == "integer") return numeric(schema, "an integer");
  if (type == "number") return numeric(schema, "a number");
  if (type == "boolean") return "true or false";
  if (type == "null") return "nothing";
  if (type == "object") return "a map" + amount(schema["minProperties"], schema["maxProperties"], " keys");
  const std::string text = "a list" + amount(schema["minItems"], schema["maxItems"], " items");
  return schema["uniqueItems"] == Value(true) ? text + ", each one once" : text;
}

std::string wanted_by(const Value& schema) {
  if (const Value& words = schema["x-wanted"]; words.is_string()) return words.as_string();
  if (const Value& allowed = schema["enum"]; allowed.is_list()) return enumerate(allowed);
  if (const auto found = schema.as_map().find("const"); found != schema.as_map().end()) return show(found->second);
  const Value& type = schema["type"];
  if (type.is_string()) return type_wanted(schema, type.as_string());
  std::string text;
  if (type.is_list())
    for (const auto& one : type.as_list())
      if (one.is_string()) text += (text.empty() ? "" : " or ") + type_wanted(schema, one.as_string());
  return text;
}

}  // namespace

std::string wanted(const Schema::At& at) {
  std::string text;
  for (const Value* schema : at) {
    const std::string one = wanted_by(*schema);
    if (one.empty() || text.find(one) != text.npos) continue;
    text += (text.empty() ? "" : " or ") + one;
  }
  return text.empty() ? "what the schema allows" : text;
}

std::string got(const Value& value, bool hide) {
  constexpr std::size_t kShown = 60;
  switch (value.type()) {
    case Value::Type::null:
      return "nothing";
    case Value::Type::list:
      return value.as_list().size() == 1 ? "a list of 1 item"
                                         : "a list of " + std::to_string(value.as_list().size()) + " items";
    case Value::Type::map:
      return "a map";
    case Value::Type::string:
      if (hide) return "text that is not shown";
      if (value.as_string().empty()) return "empty text";
      if (value.as_string().size() > kShown) return "text of " + std::to_string(value.as_string().size()) + " bytes";
      return "text '" + value.as_string() + "'";
    default:
      return hide ? "a value that is not shown" : show(value);
  }
}

std::string nearest_allowed(const Schema::At& at, const Value& value) {
  if (!value.is_string()) return "";
  std::vector<std::string_view> allowed;
  for (const Value* schema : at)
    if (const Value& words = (*schema)["enum"]; words.is_list())
      for (const auto& word : words.as_list())
        if (word.is_string()) allowed.emplace_back(word.as_string());
  return did_you_mean(value.as_string(), allowed);
}

bool duration_out_of_range(const Schema::At& at, const Value& value) {
  if (!value.is_string()) return false;
  for (const Value* schema : at) {
    if (!((*schema)["pattern"] == Value(std::string(kDurationPattern)))) continue;
    const auto duration = duration_from(value.as_string());
    if (!duration) return true;
    const auto bound = [&](const char* keyword) {
      const Value& text = (*schema)[keyword];
      return text.is_string() ? duration_from(text.as_string()) : Result<Duration>(*duration);
    };
    const auto low = bound("x-minimum"), high = bound("x-maximum");
    if ((low && *duration < *low) || (high && *duration > *high)) return true;
  }
  return false;
}

}  // namespace weft::config
