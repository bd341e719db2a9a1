#include "weft/base/ulid.hpp"

#include "weft/base/codes.hpp"

namespace weft {
namespace {
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int digit(char c) noexcept {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'I' || c == 'L') c = '1';
  if (c == 'O') c = '0';
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}
}  // namespace

Ulid Ulid::make(WallTime now, Random& random) {
  Ulid id;
  const auto ms = static_cast<std::uint64_t>(to_us(now) / 1000);
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
  const std::uint64_t high = random.next(), low = random.next();
  for (std::size_t i = 0; i < 2; ++i) id.bytes[6 + i] = static_cast<std::uint8_t>(high >> (8 * i));
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (8 * i));
  return id;
}

std::string Ulid::to_string() const {  // 26 digits of 5 bits: 130 bits, the first two are 0
  std::string text(26, '0');
  for (std::size_t i = 0; i < 26; ++i) {
    unsigned value = 0;
    for (std::size_t bit = 0; bit < 5; ++bit) {
      const std::size_t at = i * 5 + bit;
      const unsigned one = at < 2 ? 0U : (static_cast<unsigned>(bytes[(at - 2) / 8]) >> (7 - (at - 2) % 8)) & 1U;
      value = value << 1 | one;
    }
    text[i] = kAlphabet[value];
  }
  return text;
}

Result<Ulid> Ulid::parse(std::string_view text) {
  Ulid id;
  bool good = text.size() == 26 && digit(text.front()) >= 0 && digit(text.front()) < 8;
  for (std::size_t i = 0; good && i < 26; ++i) {
    const int value = digit(text[i]);
    good = value >= 0;
    for (std::size_t bit = 0; good && bit < 5; ++bit) {
      const std::size_t at = i * 5 + bit;
      if (at < 2 || ((static_cast<unsigned>(value) >> (4 - bit)) & 1U) == 0) continue;
      auto& byte = id.bytes[(at - 2) / 8];
      byte = static_cast<std::uint8_t>(byte | (1U << (7 - (at - 2) % 8)));
    }
  }
  if (!good)
    return Error(codes::bad_value,
                 "'" + std::string(text.substr(0, 40)) + "' is no id (26 characters of Crockford base 32)");
  return id;
}

}  // namespace weft
