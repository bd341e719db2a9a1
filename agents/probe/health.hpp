// Standing: whether a target counts as up, after how many good or bad answers in a row. Pure.
#pragma once
#include <optional>
#include <string>

#include "weft/base/base.hpp"

namespace weft::probe {

enum class State : std::uint8_t { unknown, up, down };
inline constexpr std::size_t kStateCount = static_cast<std::size_t>(State::down) + 1;
std::string_view to_string(State state) noexcept;
Result<State> from_text(std::string_view name, std::type_identity<State>);

struct Change {
  State from = State::unknown, to = State::unknown;
};

class Standing {
 public:
  Standing(std::int64_t rise, std::int64_t fall) : rise_(rise), fall_(fall) {}
  /// The first answers decide at once when they are good, for nobody waits for a target that was never down.
  std::optional<Change> take(bool good) noexcept;
  State state() const noexcept { return state_; }

 private:
  std::int64_t rise_, fall_;
  std::int64_t in_row_ = 0;  // answers against state_
  State state_ = State::unknown;
};

}  // namespace weft::probe
