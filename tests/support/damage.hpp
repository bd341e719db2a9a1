// Damage: what can be wrong with a file when a process starts, for the table of docs/guarantees.md.
#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace weft::test {

enum class Damage { empty, half, header, middle, directory, fifo, no_permission, newer, link_loop };
inline constexpr std::array kEveryDamage{Damage::empty,         Damage::half,      Damage::header,
                                         Damage::middle,        Damage::directory, Damage::fifo,
                                         Damage::no_permission, Damage::newer,     Damage::link_loop};

inline const char* name_of(Damage damage) {
  constexpr std::array kNames{"0 bytes", "half",          "flipped header bit", "flipped middle", "directory",
                              "FIFO",    "no permission", "newer schema",       "link loop"};
  return kNames.at(static_cast<std::size_t>(damage));
}

inline std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// While it lives, this process is not allowed to open what belongs to the user it began as. Root becomes nobody; a
/// test that runs as another user relies on mode 000.
class NoPermission {
 public:
  explicit NoPermission(const std::string& file) {
    if (::chmod(file.c_str(), 0) != 0) throw std::runtime_error("chmod " + file);
    if (::geteuid() == 0 && ::seteuid(65534) != 0) throw std::runtime_error("seteuid");
  }
  ~NoPermission() {
    if (::getuid() == 0) (void)!::seteuid(0);
  }
  NoPermission(const NoPermission&) = delete;
  NoPermission& operator=(const NoPermission&) = delete;
};

/// Flips the lowest bit of one byte.
inline void flip_bit(const std::string& file, std::size_t at) {
  std::string bytes = bytes_of(file);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// Damages `file`, of whose header the byte at `header` matters, in every way but two: `newer` and `no_permission` are
/// the test's own.
inline void inflict(Damage damage, const std::string& file, std::size_t header) {
  namespace fs = std::filesystem;
  const auto size = fs::file_size(file);
  switch (damage) {
    case Damage::empty:
      return fs::resize_file(file, 0);
    case Damage::half:
      return fs::resize_file(file, size / 2);
    case Damage::header:
      return flip_bit(file, header);
    case Damage::middle:
      return flip_bit(file, size / 2);
    case Damage::directory:
      fs::remove(file);
      fs::create_directory(file);
      return;
    case Damage::fifo:
      fs::remove(file);
      if (::mkfifo(file.c_str(), 0600) != 0) throw std::runtime_error("mkfifo " + file);
      return;
    case Damage::link_loop:
      fs::remove(file);
      return fs::create_symlink(file, file);
    case Damage::no_permission:
    case Damage::newer:
      return;
  }
}

}  // namespace weft::test
