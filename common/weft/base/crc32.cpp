#include "weft/base/crc32.hpp"

#include <array>

namespace weft {
namespace {

constexpr std::size_t kAtOnce = 4;  // bytes; one at a time would take as long as writing a large payload
using Tables = std::array<std::array<std::uint32_t, 256>, kAtOnce>;

constexpr Tables tables() {
  Tables out{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
    out[0][i] = c;
  }
  for (std::size_t table = 1; table < kAtOnce; ++table) {
    for (std::size_t i = 0; i < 256; ++i) out[table][i] = (out[table - 1][i] >> 8) ^ out[0][out[table - 1][i] & 0xFF];
  }
  return out;
}

}  // namespace

std::uint32_t crc32(BytesView bytes, std::uint32_t before) noexcept {
  static constexpr Tables kTables = tables();
  std::uint32_t c = ~before;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(bytes[i]); };
  std::size_t i = 0;
  for (; i + kAtOnce <= bytes.size(); i += kAtOnce) {
    c ^= byte(i) | byte(i + 1) << 8 | byte(i + 2) << 16 | byte(i + 3) << 24;
    c = kTables[3][c & 0xFF] ^ kTables[2][(c >> 8) & 0xFF] ^ kTables[1][(c >> 16) & 0xFF] ^ kTables[0][c >> 24];
  }
  for (; i < bytes.size(); ++i) c = kTables[0][(c ^ byte(i)) & 0xFF] ^ (c >> 8);
  return ~c;
}

}  // namespace weft
