#include "weft/observe/log_line.hpp"

#include <algorithm>

#include "weft/base/utf8.hpp"
#include "weft/observe/span.hpp"

namespace weft::observe {
namespace {

constexpr std::size_t kTextMax = 8 * 1024;  // bytes of one value
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string clean(std::string_view text) {
  std::string out;
  const bool cut = text.size() > kTextMax;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8::sequence_length(text.substr(i));
    if (out.size() + std::max<std::size_t>(length, 3) > kTextMax && cut) break;
    out.append(length == 0 ? kReplacement : text.substr(i, length));
    i += std::max<std::size_t>(length, 1);
  }
  if (cut) out += "… (" + std::to_string(text.size()) + " bytes)";
  return out;
}

/// Copies only where something has to be mended.
Value cleaned(const Value& value) {
  if (value.is_string()) return Value(clean(value.as_string()));
  if (value.is_list()) {
    Value::List out;
    for (const auto& item : value.as_list()) out.push_back(cleaned(item));
    return Value(std::move(out));
  }
  if (value.is_map()) {
    Value::Map out;
    for (const auto& [key, item] : value.as_map()) out.insert_or_assign(clean(key), cleaned(item));
    return Value(std::move(out));
  }
  return value;
}

/// The last guard only: secrets are references that nobody should log in the first place.
bool names_a_secret(std::string_view name) {
  const std::string low = to_lower(name);
  for (const auto* word : {"password", "passwd", "secret", "token", "private_key", "authorization"}) {
    if (low.find(word) != std::string::npos) return true;
  }
  return false;
}

Value shown(std::string_view name, const Value& value) {
  return names_a_secret(name) ? Value("[hidden]") : cleaned(value);
}

bool is_taken(std::string_view name, const Identity& identity, bool traced) {
  return name == "ts" || name == "level" || name == "msg" ||
         (traced && (name == "trace_id" || name == "span_id" || name == "trace_flags")) ||
         std::any_of(identity.begin(), identity.end(), [&](const auto& field) { return field.first == name; });
}

std::string json_string(std::string_view text) { return to_json(Value(clean(text))); }

/// Plain where it reads as one word, else as JSON.
std::string for_people(const Value& value) {
  if (!value.is_string()) return to_json(value);
  const auto& text = value.as_string();
  const bool word = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > ' ' && c != 0x7F && c != '"' && c != '=';
  });
  return word ? text : to_json(value);
}

std::string_view colour_of(Level level) {
  switch (level) {
    case Level::trace:
    case Level::debug:
      return "\x1b[2m";
    case Level::info:
      return "\x1b[32m";
    case Level::warn:
      return "\x1b[33m";
    case Level::error:
    case Level::fatal:
      break;
  }
  return "\x1b[31m";
}

}  // namespace

std::string json_line(const Record& record, const Identity& identity) {
  std::string out = "{\"ts\":\"" + to_rfc3339(record.time) + "\",\"level\":\"";
  out += to_string(record.level);
  out += "\",\"msg\":" + json_string(record.msg);
  for (const auto& [name, value] : identity) out += "," + json_string(name) + ":" + to_json(cleaned(value));
  if (record.trace) {
    out += R"(,"trace_id":")" + to_hex(record.trace->trace_id) + R"(","span_id":")" + to_hex(record.trace->span_id) +
           R"(","trace_flags":")" + ((record.trace->flags & 1) != 0 ? "01" : "00") + '"';
  }
  for (const auto& [name, value] : record.fields) {
    const auto key =
        is_taken(name, identity, record.trace != nullptr) ? "fields." + std::string(name) : std::string(name);
    out += "," + json_string(key) + ":" + to_json(shown(name, value));
  }
  return out + "}";
}

std::string text_line(const Record& record, bool colour) {
  std::string level(to_string(record.level));
  level.resize(5, ' ');
  if (colour) level = std::string(colour_of(record.level)) + level + "\x1b[0m";
  auto msg = clean(record.msg);
  std::replace_if(
      msg.begin(), msg.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  std::string out = to_rfc3339(record.time) + " " + level + " " + msg;
  for (const auto& [name, value] : record.fields) out += " " + clean(name) + "=" + for_people(shown(name, value));
  if (record.trace) out += " trace_id=" + to_hex(record.trace->trace_id);
  return out;
}

}  // namespace weft::observe
