// The life of an issue: what events, people and time do to its state. Pure. Private to errorbus.
#pragma once
#include "errorbus/errorbus.hpp"

namespace weft::errorbus {

/// An issue is called new, and a regressed one regressed, for this long; then ongoing.
inline constexpr std::int64_t kFreshUs = std::int64_t{24} * 3600 * 1'000'000;
inline constexpr std::size_t kSeenMax = 64;  ///< hosts and agents remembered

/// One more event. A new issue (count 0) gets its identity from it. An event older than the resolution, or of a version
/// before the one it is resolved in, does not bring a resolved issue back.
void count_event(Issue& issue, const ErrorEvent& event, std::int64_t now_us);
/// What the passing of time does; true when something changed.
bool settle(Issue& issue, std::int64_t now_us);

enum class Action : std::uint8_t { acknowledge, resolve, archive, reopen };
std::string_view to_string(Action action) noexcept;
/// Errors: `bad_value`.
Result<void> act(Issue& issue, Action action, const IssueAction& by, std::int64_t now_us);

/// True when version `a` is before `b`: numbers compare as numbers, "1.9" < "1.10", "1.2-rc1" < "1.2".
bool version_before(std::string_view a, std::string_view b);

}  // namespace weft::errorbus
