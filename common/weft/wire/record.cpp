#include "weft/wire/record.hpp"

namespace weft::wire {
namespace {
constexpr std::string_view kStates[] = {"passing", "warning", "critical"};
}

std::string_view to_string(HealthState state) noexcept { return kStates[static_cast<std::size_t>(state)]; }

Result<HealthState> from_text(std::string_view name, std::type_identity<HealthState>) {
  for (std::size_t i = 0; i < std::size(kStates); ++i) {
    if (kStates[i] == name) return static_cast<HealthState>(i);
  }
  return Error(codes::bad_value, "'" + std::string(name.substr(0, 40)) + "' is not passing, warning or critical");
}

}  // namespace weft::wire
