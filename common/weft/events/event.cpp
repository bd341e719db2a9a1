#include "weft/events/event.hpp"

namespace weft::events {

std::string_view to_string(Drop reason) noexcept {
  constexpr std::string_view kNames[kDrops] = {"gap",         "hwm",     "expired",    "denied",
                                               "undecodable", "mailbox", "unroutable", "reordered"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace weft::events
