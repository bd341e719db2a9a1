// Ulid: a 128-bit id that sorts by creation time (github.com/ulid/spec).
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "weft/base/clock.hpp"
#include "weft/base/random.hpp"
#include "weft/base/result.hpp"

namespace weft {

struct Ulid {
  std::array<std::uint8_t, 16> bytes{};  ///< big-endian: 48 bits of Unix milliseconds, 80 random bits

  static Ulid make(WallTime now, Random& random);
  /// 26 characters of Crockford base 32, any case. Errors: `bad_value`.
  static Result<Ulid> parse(std::string_view text);
  std::string to_string() const;
  /// The last 64 bits, all random: what an envelope carries as its sender.
  std::uint64_t short_id() const noexcept {
    std::uint64_t id = 0;
    std::memcpy(&id, bytes.data() + 8, sizeof id);
    return __builtin_bswap64(id);
  }
  bool is_nil() const noexcept { return *this == Ulid{}; }
  friend auto operator<=>(const Ulid&, const Ulid&) = default;
};

}  // namespace weft

template <>
struct std::hash<weft::Ulid> {
  std::size_t operator()(const weft::Ulid& id) const noexcept { return static_cast<std::size_t>(id.short_id()); }
};
