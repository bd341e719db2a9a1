#include "weft/actor/restart.hpp"

#include <array>

namespace weft::actor {

std::string_view to_string(Restart restart) noexcept {
  constexpr std::array<std::string_view, 3> names{"permanent", "transient", "temporary"};
  return names[static_cast<std::size_t>(restart)];
}

std::string_view to_string(Reason reason) noexcept {
  constexpr std::array<std::string_view, 6> names{"normal", "shutdown", "error", "escalated", "killed", "not_found"};
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace weft::actor
