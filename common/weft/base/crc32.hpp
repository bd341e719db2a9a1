// CRC-32: detects bytes that changed after they were written.
#pragma once
#include <cstdint>

#include "weft/base/value.hpp"

namespace weft {

/// Of IEEE 802.3, as zip and PNG have it. `before` is the sum of what comes before `bytes`.
std::uint32_t crc32(BytesView bytes, std::uint32_t before = 0) noexcept;

}  // namespace weft
