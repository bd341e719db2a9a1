#include "weft/observe/observe.hpp"

namespace weft::observe {
namespace {
constexpr auto kLevels = std::to_array<std::string_view>({"trace", "debug", "info", "warn", "error", "fatal"});
static_assert(kLevels.size() == kLevelCount);
}  // namespace

std::string_view to_string(Level level) noexcept {
  const auto index = static_cast<std::size_t>(level);
  return index < kLevels.size() ? kLevels[index] : kLevels.back();
}

Result<Level> from_text(std::string_view name, std::type_identity<Level>) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == name) return static_cast<Level>(i);
  }
  return Error(codes::bad_value, "'" + std::string(name) + "' is no log level" +
                                     did_you_mean(name, {kLevels.begin(), kLevels.end()}) +
                                     "; wanted trace, debug, info, warn, error or fatal");
}

}  // namespace weft::observe
