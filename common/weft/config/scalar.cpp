// The core schema: null, true and false, integers in three bases, floats; all else is text.
#include "weft/config/scalar.hpp"

#include <charconv>
#include <cmath>

#include "weft/base/codes.hpp"

namespace weft::config {
namespace {

constexpr std::string_view kCorePrefix = "tag:yaml.org,2002:";

std::size_t digits(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return end - from;
}

bool looks_like_integer(std::string_view word) {
  const std::size_t sign = !word.empty() && (word[0] == '+' || word[0] == '-') ? 1 : 0;
  const std::size_t count = digits(word, sign);
  return count > 0 && sign + count == word.size();
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool looks_like_float(std::string_view word) {
  std::size_t at = !word.empty() && (word[0] == '+' || word[0] == '-') ? 1 : 0;
  const std::size_t whole = digits(word, at);
  at += whole;
  std::size_t fraction = 0;
  if (at < word.size() && word[at] == '.') {
    fraction = digits(word, at + 1);
    at += 1 + fraction;
  }
  if (whole + fraction == 0) return false;
  if (at < word.size() && (word[at] == 'e' || word[at] == 'E')) {
    ++at;
    if (at < word.size() && (word[at] == '+' || word[at] == '-')) ++at;
    const std::size_t exponent = digits(word, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == word.size();
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (auto one : words)
    if (one == word) return true;
  return false;
}

Result<Value> integer(std::string_view text, int base) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error == std::errc::result_out_of_range)
    return Error(codes::bad_value, "an integer of more than 64 bits; put it in quotes if it is text");
  if (error != std::errc{} || end != text.data() + text.size()) return Value(std::string(text));
  return Value(number);
}

Result<Value> floating(std::string_view text) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !std::isfinite(number))
    return Error(codes::bad_value, "a number that a 64-bit float cannot hold; put it in quotes if it is text");
  return Value(number);
}

}  // namespace

Result<Value> plain_scalar(const std::string& word) {
  const std::string_view view = word;
  if (is_one_of(view, {"", "~", "null", "Null", "NULL"})) return Value();
  if (is_one_of(view, {"true", "True", "TRUE"})) return Value(true);
  if (is_one_of(view, {"false", "False", "FALSE"})) return Value(false);
  if (looks_like_integer(view)) return integer(view, 10);
  if (view.starts_with("0x") && view.find_first_not_of("0123456789abcdefABCDEF", 2) == view.npos && view.size() > 2)
    return integer(view.substr(2), 16);
  if (view.starts_with("0o") && view.find_first_not_of("01234567", 2) == view.npos && view.size() > 2)
    return integer(view.substr(2), 8);
  if (looks_like_float(view)) return floating(view);
  const auto unsigned_part = !view.empty() && (view[0] == '-' || view[0] == '+') ? view.substr(1) : view;
  if (is_one_of(unsigned_part, {".inf", ".Inf", ".INF"}) || is_one_of(view, {".nan", ".NaN", ".NAN"}))
    return Error(codes::bad_value, "infinity and not-a-number cannot stand in a configuration");
  return Value(word);
}

Result<Value> tagged_scalar(const std::string& tag, const std::string& word) {
  if (tag == "!") return Value(word);
  if (tag == "?" || tag.empty()) return plain_scalar(word);
  if (!tag.starts_with(kCorePrefix)) return Error(codes::bad_value, "the tag '" + tag + "' is not known here");
  const std::string kind = tag.substr(kCorePrefix.size());
  if (kind == "str") return Value(word);
  auto value = plain_scalar(word);
  if (!value) return value;
  const auto type = value->type();
  if (kind == "null" && type == Value::Type::null) return value;
  if (kind == "bool" && type == Value::Type::boolean) return value;
  if (kind == "int" && type == Value::Type::integer) return value;
  if (kind == "float" && value->is_number()) return Value(value->as_double());
  return Error(codes::bad_value, "the tag '!!" + kind + "' does not fit this value");
}

}  // namespace weft::config
