#include "weft/base/error.hpp"

#include <array>

namespace weft {
namespace {
constexpr std::array<std::string_view, 10> kKinds{"invalid",     "not_found", "duplicate", "denied",       "overloaded",
                                                  "unavailable", "timeout",   "cancelled", "disconnected", "internal"};
}  // namespace

std::string_view to_string(ErrorKind kind) noexcept {
  const auto index = static_cast<std::size_t>(kind);
  return index < kKinds.size() ? kKinds[index] : kKinds.back();
}

ErrorKind error_kind_from(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) return static_cast<ErrorKind>(i);
  }
  return ErrorKind::internal;
}

bool retryable(ErrorKind kind) noexcept { return kind == ErrorKind::overloaded || kind == ErrorKind::unavailable; }

std::string Error::describe() const {
  std::string line = code;
  if (!name.empty()) line += " " + name;
  line += line.empty() ? message : ": " + message;
  if (!hint.empty()) line += " (" + hint + ")";
  return line;
}

}  // namespace weft
