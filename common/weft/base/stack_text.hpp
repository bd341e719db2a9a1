// Stacks as text: functions with their names, as gdb prints them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

struct CodeAddress {
  std::uint64_t address = 0;  ///< in the file, before relocation
  std::string file;           ///< path of the program or library
  friend bool operator==(const CodeAddress&, const CodeAddress&) = default;
};

/// A line for each frame: "#0 0x1f40 in app::handle(int)+0x1c from weft-app". Reads the tables of symbols of at most 16
/// of the files, but of none that was changed after `started` (Unix time in seconds), since its names could be wrong.
std::string stack_text(const std::vector<CodeAddress>& frames, std::int64_t started);

/// "0x1f40".
std::string hex_text(std::uint64_t value);

}  // namespace weft
