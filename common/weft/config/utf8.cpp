// The printable set of YAML 1.2, chapter 5.1.
#include "weft/config/utf8.hpp"

#include <cstdint>

#include "weft/base/utf8.hpp"

namespace weft::config {
std::optional<BadCharacter> first_bad_character(std::string_view text) {
  BadCharacter place;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8::sequence_length(text.substr(at));
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
