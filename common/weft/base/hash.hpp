// Hashes that are the same in every process and on every machine, and the hash of a map that is looked up by
// std::string_view. Pure; thread-safe.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft {

inline constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15;  ///< 2^64 over the golden ratio

/// FNV-1a of 64 bits. Similar texts have similar upper bits: see murmur_mix().
constexpr std::uint64_t fnv1a(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// The finaliser of MurmurHash3: every bit of `x` changes half of the bits.
constexpr std::uint64_t murmur_mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

/// The number of SplitMix64 (Steele, Lea and Flood, 2014) that follows the state `x`; the next state is
/// `x + kGoldenRatio`. Neighbouring states give unlike numbers.
constexpr std::uint64_t splitmix64(std::uint64_t x) noexcept {
  x += kGoldenRatio;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// 16 lower-case digits.
inline std::string to_hex(std::uint64_t number) {
  std::string text(16, '0');
  for (auto place = text.rbegin(); place != text.rend(); ++place, number >>= 4)
    *place = "0123456789abcdef"[number & 15];
  return text;
}

/// For std::unordered_map<std::string, T, TextHash, std::equal_to<>>: found by std::string_view without a copy.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

}  // namespace weft
