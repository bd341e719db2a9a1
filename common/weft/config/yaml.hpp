// YAML text to Nodes with places, under limits; every mistake is told, none is thrown. Private to config.
#pragma once
#include <string_view>

#include "weft/config/node.hpp"

namespace weft::config {

struct YamlLimits {
  std::size_t bytes = 1024 * 1024;         ///< of one file
  std::size_t depth = 64;                  ///< maps and lists in each other
  std::size_t values = 100'000;            ///< of one file, with what its aliases stand for
  std::size_t expanded_bytes = 8ul << 20;  ///< of all text, with what its aliases stand for
  std::size_t scalar_bytes = 64 * 1024;    ///< of one text
  std::size_t key_bytes = 256;
};

struct Parsed {
  Node root;  ///< null for an empty file; what could be read where there are mistakes
  std::vector<Mistake> mistakes;
  bool usable = true;  ///< false: it is not YAML, or over a limit; `root` holds nothing
};
Parsed parse_yaml(std::string_view text, std::shared_ptr<const Source> source, const YamlLimits& limits = {});
/// Reads the file; a missing one is a mistake too.
Parsed parse_yaml_file(const std::string& path, const std::string& layer, const YamlLimits& limits = {});

}  // namespace weft::config
