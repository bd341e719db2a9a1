#include "weft/base/describe.hpp"

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

}  // namespace weft::detail
