// Repeats: decides which lines are one too many. Pure. Private to observe.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "weft/observe/observe.hpp"

namespace weft::observe {

class Repeats {
 public:
  struct Told {
    Level level;
    std::string msg;
    std::uint64_t count;
  };
  static constexpr std::uint64_t kLinesMax = 20;  ///< of one message at one level within the window
  static constexpr Duration kWindow = std::chrono::seconds(10);
  static constexpr std::size_t kMessagesMax = 512;  ///< watched at once; others are never suppressed

  bool admit(TimePoint now, Level level, std::string_view msg);
  /// What was suppressed in windows that are over at `now`.
  std::vector<Told> over(TimePoint now);

 private:
  struct Window {
    TimePoint begin;
    std::uint64_t lines = 0;
  };
  std::map<std::pair<Level, std::string>, Window> windows_;
  TimePoint next_over_ = TimePoint::max();  ///< before this no window is over
};

}  // namespace weft::observe
