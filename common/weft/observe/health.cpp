#include <algorithm>

#include "weft/observe/observe.hpp"

namespace weft::observe {

void Health::set(const std::string& check, bool ok, std::string text) { checks_[check] = {ok, std::move(text)}; }

bool Health::ready() const noexcept {
  return started_ && std::all_of(checks_.begin(), checks_.end(), [](const auto& named) { return named.second.ok; });
}

}  // namespace weft::observe
