#include "weft/base/utf8.hpp"

#include <algorithm>

namespace weft::utf8 {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kContinuationsMax = 3;

struct Lead {
  std::size_t length;       // 0: no lead byte
  unsigned char low, high;  // bounds of the second byte
};
constexpr Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  return {0, 0, 0};
}

bool continues(char c) noexcept { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::size_t sequence_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const Lead lead = lead_of(static_cast<unsigned char>(text.front()));
  if (lead.length <= 1) return lead.length;
  if (lead.length > text.size()) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (second < lead.low || second > lead.high) return 0;
  return std::all_of(text.begin() + 2, text.begin() + static_cast<std::ptrdiff_t>(lead.length), continues) ? lead.length
                                                                                                           : 0;
}

std::size_t valid_length(std::string_view text) noexcept {
  std::size_t good = 0;
  while (good < text.size()) {
    const auto length = sequence_length(text.substr(good));
    if (length == 0) break;
    good += length;
  }
  return good;
}

std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && bytes_max - end < kContinuationsMax && continues(text[end])) --end;
  return text.substr(0, continues(text[end]) ? bytes_max : end);  // more than three in a row is no UTF-8 anyway
}

std::string replace_invalid(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const auto good = valid_length(text);
    clean += text.substr(0, good);
    if (good == text.size()) break;
    clean += kReplacement;
    text.remove_prefix(good + 1);
  }
  return clean;
}

std::size_t columns(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

}  // namespace weft::utf8
