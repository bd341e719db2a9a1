// UTF-8 by table 3-7 of the Unicode Standard (RFC 3629): overlong forms, surrogates and what is beyond U+10FFFF are
// malformed. Pure; thread-safe.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weft::utf8 {

/// Bytes of the well-formed character at the start of `text`; 0 if it does not start with one.
std::size_t sequence_length(std::string_view text) noexcept;
/// How many bytes at the start of `text` are well-formed.
std::size_t valid_length(std::string_view text) noexcept;
inline bool valid(std::string_view text) noexcept { return valid_length(text) == text.size(); }
/// At most `bytes_max` bytes from the start of `text`, without a part of a character at the end.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept;
/// U+FFFD for each byte that belongs to no well-formed character.
std::string replace_invalid(std::string_view text);
/// Code points of well-formed text: the columns of a terminal, except for wide and combining characters.
std::size_t columns(std::string_view text) noexcept;

}  // namespace weft::utf8
