// UTF-8 by RFC 3629, and the printable set of YAML 1.2 chapter 5.1.
#include "weft/config/utf8.hpp"

#include <cstdint>

namespace weft::config {
namespace {

/// Bytes of the well-formed character at `at`, or 0.
std::size_t length_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(at + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return follows(at + 1, low, high) && follows(at + 2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(at + 1, low, high) && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<BadCharacter> first_bad_character(std::string_view text) {
  BadCharacter place;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_at(text, at);
    const auto byte = static_cast<std::uint8_t>(text[at]);
    if (length == 0) {
      place.what = "a byte that is no UTF-8 text";
      return place;
    }
    if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
      place.what = "a control character";
      return place;
    }
    ++place.column;
    if (byte == '\n') place = {place.line + 1, 1, {}};
    at += length;
  }
  return std::nullopt;
}

}  // namespace weft::config
