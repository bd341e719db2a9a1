#include "weft/base/restart.hpp"

#include <array>
#include <string>

#include "weft/base/codes.hpp"
#include "weft/base/text.hpp"

namespace weft {
namespace {

constexpr auto kRestartNames = std::to_array<std::string_view>({"permanent", "transient", "temporary"});
static_assert(kRestartNames.size() == kRestartCount);

/// What a window without a limit keeps; its delay has long reached its maximum.
constexpr std::size_t kKeptMax = 1000;

}  // namespace

std::string_view to_string(Restart restart) noexcept { return kRestartNames[static_cast<std::size_t>(restart)]; }

Result<Restart> from_text(std::string_view name, std::type_identity<Restart>) {
  for (std::size_t i = 0; i < kRestartNames.size(); ++i) {
    if (kRestartNames[i] == name) return static_cast<Restart>(i);
  }
  return Error(codes::bad_value, "wanted permanent, transient or temporary, got '" + std::string(name) + "'" +
                                     did_you_mean(name, {kRestartNames.begin(), kRestartNames.end()}));
}

void RestartWindow::forget_before(TimePoint earliest) {
  while (first_ < times_.size() && times_[first_] < earliest) ++first_;
  if (first_ * 2 < times_.size()) return;
  times_.erase(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(first_));
  first_ = 0;
}

bool RestartWindow::take(TimePoint now) {
  const std::uint32_t before = count(now);
  if (limit_.restarts != 0 && before >= limit_.restarts) return false;
  if (limit_.restarts == 0 && before >= kKeptMax) ++first_;
  times_.push_back(now);
  return true;
}

std::uint32_t RestartWindow::count(TimePoint now) {
  forget_before(now - limit_.window);
  return static_cast<std::uint32_t>(times_.size() - first_);
}

void RestartWindow::reset() noexcept {
  times_.clear();
  first_ = 0;
}

}  // namespace weft
