// What a Supervision answers, as text that a failed check can show.
#pragma once
#include <array>
#include <string>

#include "weft/actor/actor.hpp"

namespace weft::actor::test {

inline std::string text(const Supervision::Action& action) {
  using Kind = Supervision::Action::Kind;
  constexpr std::array<const char*, 6> names{"start", "stop", "gave_up", "removed", "fail", "finished"};
  std::string result = names[static_cast<std::size_t>(action.kind)];
  if (action.kind != Kind::fail && action.kind != Kind::finished) result += " " + std::to_string(action.child);
  if (action.delay != 0ns) result += " after " + to_text(action.delay);
  return result;
}

/// "stop 3, start 4 after 100ms"; "" for none.
inline std::string text(const Supervision::Actions& actions) {
  std::string result;
  for (const auto& action : actions) result += (result.empty() ? "" : ", ") + text(action);
  return result;
}

}  // namespace weft::actor::test
