// Counting answers in a row.
#include "agents/probe/health.hpp"

#include <array>

namespace weft::probe {

namespace {
constexpr auto kNames = std::to_array<std::string_view>({"unknown", "up", "down"});
static_assert(kNames.size() == kStateCount);
}  // namespace

std::string_view to_string(State state) noexcept { return kNames[static_cast<std::size_t>(state)]; }

Result<State> from_text(std::string_view name, std::type_identity<State>) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<State>(i);
  }
  return Error(codes::bad_value, "wanted unknown, up or down, got '" + std::string(name) + "'");
}

std::optional<Change> Standing::take(bool good) noexcept {
  const State to = good ? State::up : State::down;
  if (state_ == to || (state_ == State::unknown && good)) in_row_ = 0;
  if (state_ == to) return std::nullopt;
  const auto needed = state_ == State::unknown && good ? 1 : good ? rise_ : fall_;
  if (++in_row_ < needed) return std::nullopt;
  in_row_ = 0;
  return Change{std::exchange(state_, to), to};
}

}  // namespace weft::probe
