#include "weft/base/semver.hpp"

#include <algorithm>
#include <cstddef>

namespace weft {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'; }

bool is_number(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) && (text.size() == 1 || text[0] != '0');
}

bool is_identifier(std::string_view text, bool leading_zeros) noexcept {
  if (text.empty()) return false;
  if (std::all_of(text.begin(), text.end(), is_digit)) return leading_zeros || is_number(text);
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || is_letter(c); });
}

/// True when each part between dots is `one`; counts them.
template <class One>
bool are_all(std::string_view text, One one, std::size_t& count) noexcept {
  for (count = 1;; ++count) {
    const auto dot = text.find('.');
    if (!one(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_semver(std::string_view text) noexcept {
  std::size_t parts = 0;
  if (const auto plus = text.find('+'); plus != std::string_view::npos) {
    const auto build = [](std::string_view one) { return is_identifier(one, true); };
    if (!are_all(text.substr(plus + 1), build, parts)) return false;
    text = text.substr(0, plus);
  }
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    const auto pre_release = [](std::string_view one) { return is_identifier(one, false); };
    if (!are_all(text.substr(dash + 1), pre_release, parts)) return false;
    text = text.substr(0, dash);
  }
  return are_all(text, is_number, parts) && parts == 3;
}

}  // namespace weft
