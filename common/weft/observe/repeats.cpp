#include "weft/observe/repeats.hpp"

namespace weft::observe {

bool Repeats::admit(TimePoint now, Level level, std::string_view msg) {
  const std::pair key(level, std::string(msg));
  auto found = windows_.find(key);
  if (found == windows_.end()) {
    if (windows_.size() >= kMessagesMax) return true;
    found = windows_.emplace(key, Window{now}).first;
    next_over_ = std::min(next_over_, now + kWindow);
  }
  return ++found->second.lines <= kLinesMax;
}

std::vector<Repeats::Told> Repeats::over(TimePoint now) {
  std::vector<Told> out;
  if (now < next_over_) return out;
  next_over_ = TimePoint::max();
  for (auto it = windows_.begin(); it != windows_.end();) {
    const auto& [key, window] = *it;
    const auto end = window.begin + kWindow;
    if (now < end) {
      next_over_ = std::min(next_over_, end);
      ++it;
      continue;
    }
    if (window.lines > kLinesMax) out.push_back({key.first, key.second, window.lines - kLinesMax});
    it = windows_.erase(it);
  }
  return out;
}

}  // namespace weft::observe
