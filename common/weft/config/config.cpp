// What a loaded configuration answers.
#include "weft/config/config.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "weft/base/files.hpp"
#include "weft/config/schema.hpp"

namespace weft::config {
namespace {

constexpr std::size_t kSecretBytesMax = 64 * 1024;

Result<std::string> read_secret_file(const std::string& path, std::string_view key) {
  auto read = read_regular_file(path, kSecretBytesMax);
  if (!read && read.error().is(codes::too_large))
    return Error(codes::missing_secret, std::string(key) + ": the file " + path + " is larger than 64 KiB");
  if (!read || !*read)
    return Error(codes::missing_secret, std::string(key) + ": the file " + path + " cannot be read",
                 "create it, a regular file, readable for this user only");
  std::string text = std::move(**read);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

Value redact(const Value& value, const std::string& path, const std::vector<std::string>& secret_paths) {
  if (value.is_map()) {
    Value::Map map;
    for (const auto& [key, member] : value.as_map()) map.emplace(key, redact(member, join(path, key), secret_paths));
    return map;
  }
  if (value.is_list()) {
    Value::List list;
    for (std::size_t i = 0; i < value.as_list().size(); ++i)
      list.push_back(redact(value.as_list()[i], join(path, i), secret_paths));
    return list;
  }
  const bool secret = std::find(secret_paths.begin(), secret_paths.end(), path) != secret_paths.end();
  return secret && !value.is_null() && value != Value("") && !is_secret_reference(value) ? Value(kHidden) : value;
}

}  // namespace

std::string Origin::where() const {
  if (file.empty()) return layer == "default" || layer.empty() ? "built-in default" : layer;
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Mistake::describe() const { return origin.where() + ": " + (path.empty() ? "" : path + ": ") + text; }

const Value& Config::at(std::string_view path) const noexcept {
  static const Value nothing;
  const Value* found = root_.find(path);
  return found ? *found : nothing;
}

std::vector<std::pair<Origin, Value>> Config::explain(std::string_view path) const {
  const auto found = history_.find(path);
  return found == history_.end() ? std::vector<std::pair<Origin, Value>>() : found->second;
}

Origin Config::origin(std::string_view path) const {
  const auto found = history_.find(path);
  return found == history_.end() ? Origin{} : found->second.back().first;
}

Result<std::string> Config::secret(std::string_view path) const {
  const Value& reference = at(path);
  if (!is_secret_reference(reference))
    return Error(codes::missing_secret, std::string(path) + ": no secret is set",
                 "set it to file:/path or env:NAME in the configuration");
  const std::string& text = reference.as_string();
  if (text.starts_with("file:")) return read_secret_file(text.substr(5), path);
  const char* value =
      std::getenv(text.c_str() + 4);  // NOLINT(concurrency-mt-unsafe): nobody sets variables at run time
  if (!value)
    return Error(codes::missing_secret, std::string(path) + ": the variable " + text.substr(4) + " is not set",
                 "set it in the environment of the process");
  std::string secret = value;
  if (secret.ends_with('\n')) secret.pop_back();
  return secret;
}

Value Config::redacted() const { return redact(root_, "", secret_paths_); }

void Config::fail(const Error& error) { throw std::logic_error("configuration: " + error.describe()); }

}  // namespace weft::config
