// A folder of its own for one test case, removed with all that is in it.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace weft::node::test {

struct Scratch {
  Scratch() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/weft-node-XXXXXX";
    folder = ::mkdtemp(pattern.data()) ? pattern : throw std::runtime_error("mkdtemp");
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string folder;
};

}  // namespace weft::node::test
