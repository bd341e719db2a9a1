// Values as YAML for people, that reads back as the same values. yaml-cpp's emitter writes the text "7" without quotes.
#include <fmt/format.h>

#include "weft/config/config.hpp"
#include "weft/config/scalar.hpp"

namespace weft::config {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/.";

/// Words that YAML 1.1 readers take for booleans.
bool is_old_boolean(std::string_view text) {
  for (const char* word :
       {"y", "Y", "n", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF"})
    if (text == word) return true;
  return false;
}

bool is_plain(const std::string& text) {
  if (text.empty() || kLetters.find(text[0]) == kLetters.npos || text.ends_with(':') || text.ends_with(' '))
    return false;
  static const std::string kPlain = std::string(kLetters).append(":@+=- ");
  if (text.find_first_not_of(kPlain) != text.npos || text.find(": ") != text.npos) return false;
  const auto value = plain_scalar(text);
  return value && value->is_string() && !is_old_boolean(text);
}

std::string text_of(const std::string& text) {
  if (is_plain(text)) return text;
  std::string quoted;
  for (const char c : to_json(Value(text))) quoted += c == '\x7f' ? std::string("\\x7F") : std::string(1, c);
  return quoted;
}

std::string scalar_of(const Value& value) {
  if (value.is_string()) return text_of(value.as_string());
  if (value.type() != Value::Type::number) return to_json(value);
  std::string number = fmt::format("{}", value.as_double());
  if (number.find_first_of(".e") == number.npos) number += ".0";
  return number;
}

void emit(const Value& value, std::size_t indent, bool in_list, std::string& out);

/// What follows "key:" or "-".
void emit_member(const Value& value, std::size_t indent, bool in_list, std::string& out) {
  if (value.is_map() && !value.as_map().empty()) return emit(value, indent, in_list, out);
  if (value.is_list() && !value.as_list().empty()) return emit(value, indent, in_list, out);
  out += value.is_map() ? " {}\n" : value.is_list() ? " []\n" : " " + scalar_of(value) + "\n";
}

/// A map or list that is not empty; its first line goes on after a "-" when it stands in a list.
void emit(const Value& value, std::size_t indent, bool in_list, std::string& out) {
  if (!in_list) out += '\n';
  bool first = in_list;
  const auto begin = [&] {
    out += first ? " " : std::string(indent, ' ');
    first = false;
  };
  if (value.is_list()) {
    for (const auto& item : value.as_list()) {
      begin();
      out += '-';
      emit_member(item, indent + 2, true, out);
    }
    return;
  }
  for (const auto& [key, member] : value.as_map()) {
    begin();
    out += text_of(key) + ":";
    emit_member(member, indent + 2, false, out);
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  std::string out;
  emit_member(value, 0, false, out);
  return out.substr(1);  // the line break or space after a key that is not there
}

}  // namespace weft::config
