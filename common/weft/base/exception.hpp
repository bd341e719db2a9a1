// What an exception says about itself, for log lines, answers and error events.
#pragma once
#include <exception>
#include <string>

namespace weft {

struct ThrownFacts {
  std::string type;  ///< demangled: "std::out_of_range"; cut to 512 bytes
  std::string text;  ///< its what(), or "an exception of an unknown type" when it is not a std::exception; cut to 8 KiB
  std::string stack;  ///< of its throw, with names (throw_trace.hpp); empty where it was not kept
};
/// Type and text. `thrown` must not be null. Thread-safe.
ThrownFacts what_of(const std::exception_ptr& thrown);
/// The same with the stack: for events.
ThrownFacts what_of_with_stack(const std::exception_ptr& thrown);

/// The C++ name of a symbol or type: "_ZN4weft4Mesh5startEv" -> "weft::Mesh::start()". The same where it is no mangled
/// name. Thread-safe.
std::string demangled(const std::string& symbol);

}  // namespace weft
