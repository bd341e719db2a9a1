// The first place where text is not UTF-8, or holds what YAML forbids. Private to config.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace weft::config {

struct BadCharacter {
  int line = 1;
  int column = 1;
  std::string what;
};
std::optional<BadCharacter> first_bad_character(std::string_view text);

}  // namespace weft::config
