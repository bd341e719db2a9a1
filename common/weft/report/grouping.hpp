// Grouping: which events have one cause. Pure.
#pragma once
#include <string>
#include <string_view>

#include "weft/base/base.hpp"

namespace weft::report {

/// The issue of an event: the version of the rules and 16 hex digits over the first of these that the event has:
///   its own fingerprint                                          "v1:"
///   code, agent, exception and the top of its stack              "v2:"
///   code, agent, exception, message and the exception's text     "v2:"  (the text is values.what)
///   code, agent and message                                      "v1:"
/// Messages and texts without what varies. The rules of a version never change: new rules get a new version.
std::string fingerprint_of(const ErrorEvent& event);

/// The message with paths, numbers, hex numbers, UUIDs, ULIDs and quoted texts replaced: "port <n> of <str> is taken".
std::string normalise_message(std::string_view message);
/// The names of the first five functions of the program, each once and down to the part of Weft that called them,
/// without addresses, offsets, files, lines, arguments and the numbers of lambdas; of the system's libraries only where
/// there are no others. A frame without a name is its file and its address in it.
std::string normalise_stack(std::string_view stack);

}  // namespace weft::report
