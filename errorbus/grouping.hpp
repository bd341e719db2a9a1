// Grouping: which events have one cause. Pure. Private to errorbus.
#pragma once
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::errorbus {

/// "v1:" and 16 hex digits over the first of these that the event has: its own fingerprint; code, agent and the top of
/// its stack; code, agent and its message without what varies. The rules of a version never change: new rules get a new
/// version.
std::string fingerprint_of(const ErrorEvent& event);

/// The message with numbers, hex numbers, UUIDs, ULIDs and quoted texts replaced: "port <n> of <str> is taken".
std::string normalise_message(std::string_view message);
/// The names of the first five frames that are not the C++ library's, without addresses, offsets, files, lines,
/// template arguments and the numbers of lambdas.
std::string normalise_stack(std::string_view stack);

}  // namespace weft::errorbus
