// The flags that every Weft process understands. Private to program.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "weft/program/program.hpp"

namespace weft::program {

struct Flags {
  std::string config_dir, environment, host, name, log_level, log_format;
  std::vector<std::string> sets;
  bool check = false;
};

/// The exit code instead where help, the version or a mistake was printed.
std::variant<Flags, int> parse_flags(int argc, char** argv, const About& about);

}  // namespace weft::program
