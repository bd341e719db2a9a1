// TempDir: a folder of a test's own, gone with it.
#pragma once
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weft::test {

class TempDir {
 public:
  TempDir() : path_((std::filesystem::temp_directory_path() / "weft-test-XXXXXX").string()) {
    if (!::mkdtemp(path_.data())) throw std::runtime_error("no temporary folder");
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const noexcept { return path_; }
  /// Replaces the file; makes its folder.
  void write(std::string_view name, std::string_view text) const { put(name, text, std::ios::trunc); }
  void append(std::string_view name, std::string_view text) const { put(name, text, std::ios::app); }

 private:
  void put(std::string_view name, std::string_view text, std::ios::openmode mode) const {
    const std::filesystem::path file = *this / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary | mode);
    out << text;
    if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
  }
  std::string path_;
};

}  // namespace weft::test
