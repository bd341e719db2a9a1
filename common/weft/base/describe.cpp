#include "weft/base/describe.hpp"

#include <algorithm>

#include "weft/base/text.hpp"

namespace weft::detail {

Error wrong_type(std::string_view path, std::string_view wanted, const Value& got) {
  std::string text(path.empty() ? "the value" : path);
  text.append(": wanted ").append(wanted).append(", got ").append(to_string(got.type()));
  return Error(codes::bad_value, text);
}

Error unknown_key(std::string_view path, std::string_view key, const std::vector<std::string_view>& known) {
  return Error(codes::bad_value, join(std::string(path), key) + ": unknown key" + did_you_mean(key, known));
}

Result<void> check_required(const Value& in, std::string_view path, const std::vector<std::string_view>& required,
                            const std::vector<std::string_view>& known) {
  const auto& map = in.as_map();
  for (const auto name : required) {
    if (map.find(name) != map.end()) continue;
    std::string text = join(std::string(path), name) + ": missing";
    for (const auto& [key, value] : map) {
      const bool is_known = std::find(known.begin(), known.end(), key) != known.end();
      if (is_known || did_you_mean(key, {name}).empty()) continue;
      text += "; did you mean '" + std::string(name) + "' instead of '" + key + "'?";
      break;
    }
    return Error(codes::bad_value, std::move(text));
  }
  return {};
}

}  // namespace weft::detail
