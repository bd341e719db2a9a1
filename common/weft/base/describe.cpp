#include "weft/base/describe.hpp"

#include <algorithm>

#include "weft/base/text.hpp"

namespace weft::detail {

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

Value write_members(std::span<const MemberToWrite> members) {
  Value::Map map;
  for (const auto& one : members) map.emplace(one.name, one.to_value(one.member));
  return map;
}

Result<void> read_members(const Value& in, std::span<const MemberToRead> members, const std::string& path,
                          Unknown unknown, const std::vector<std::string_view>& required) {
  if (!in.is_map()) return wrong_type(path, "a map", in);
  const auto& map = in.as_map();
  for (const auto& one : members) {
    const auto found = map.find(std::string_view(one.name));
    if (found == map.end()) continue;
    if (auto done = one.read(found->second, one.member, join(path, one.name), unknown); !done) return done;
  }
  if (required.empty() && unknown == Unknown::skip) return {};
  std::vector<std::string_view> known;
  for (const auto& one : members) known.emplace_back(one.name);
  if (auto complete = check_required(in, path, required, known); !complete) return complete;
  if (unknown == Unknown::skip) return {};
  for (const auto& [key, value] : map) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return unknown_key(path, key, known);
  }
  return {};
}

Error wrong_type(std::string_view path, std::string_view wanted, const Value& got) {
  std::string text(path.empty() ? "the value" : path);
  text.append(": wanted ").append(wanted).append(", got ").append(to_string(got.type()));
  return Error(codes::bad_value, text);
}

Error not_in_range(std::string_view path, std::string_view from, std::string_view to, std::int64_t got) {
  std::string text(path);
  text.append(": wanted an integer from ").append(from).append(" to ").append(to);
  return Error(codes::bad_value, text + ", got " + std::to_string(got));
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
