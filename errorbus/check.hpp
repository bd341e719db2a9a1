// Checks an event before it is journaled. Pure. Private to errorbus.
#pragma once
#include "weft/base/base.hpp"

namespace weft::errorbus {

inline constexpr std::size_t kMessageMax = 8 * 1024;  ///< bytes
inline constexpr std::size_t kValuesMax = 64;
inline constexpr std::size_t kValuesBytesMax = 64 * 1024;
inline constexpr std::size_t kValuesDepthMax = 16;  ///< maps and lists in each other
inline constexpr std::size_t kExceptionMax = 1024;
inline constexpr std::size_t kStackMax = 64 * 1024;
inline constexpr std::size_t kWordMax = 128;  ///< code, category, version, config hash
inline constexpr std::size_t kFingerprintMax = 256;
inline constexpr std::uint64_t kRepeatedMax = 1'000'000'000'000;  ///< so that no sum of counts overflows

/// Replaces bytes that are no UTF-8 by U+FFFD, everywhere in `event`, then checks it. Errors: `bad_event` that says
/// what is wrong.
Result<void> check_event(ErrorEvent& event);
/// The same for all; the error names the first bad one by its place and id.
Result<void> check_events(std::vector<ErrorEvent>& events);
/// Replaces what is no UTF-8 (overlong forms and surrogates included) by U+FFFD.
void make_utf8(std::string& text);

}  // namespace weft::errorbus
