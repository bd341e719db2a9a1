// Semantic versions (https://semver.org, 2.0.0), for checks.
#pragma once
#include <string_view>

namespace weft {

/// "1.4.0", "2.0.0-rc.1", "1.0.0+build.7".
bool is_semver(std::string_view text) noexcept;

}  // namespace weft
