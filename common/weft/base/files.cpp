#include "weft/base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "weft/base/codes.hpp"

namespace weft {
namespace {

Error failed(const std::string& path, const char* what, int why) {
  const bool full = why == ENOSPC || why == EDQUOT;
  return Error(full ? codes::disk_full : codes::io_failed, path + " cannot be " + what + ": " + std::strerror(why));
}

/// Closes a descriptor at the end of its scope.
struct Closing {
  explicit Closing(int descriptor) : fd(descriptor) {}
  ~Closing() { ::close(fd); }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;
  int fd;
};

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto done = ::write(fd, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

bool exists(const std::string& path) {
  std::error_code ignored;  // what cannot be seen does not exist
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

Error too_large(const std::string& path, std::size_t bytes_max) {
  return Error(codes::too_large, path + " is larger than " + std::to_string(bytes_max) + " bytes");
}

}  // namespace

Result<int> open_regular_file(const std::string& path, int flags, mode_t mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
  if (fd < 0 && errno == EISDIR) return Error(codes::io_failed, path + " is not a regular file");
  if (fd < 0) return failed(path, "opened", errno);
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
  ::close(fd);
  return Error(codes::io_failed, path + " is not a regular file");
}

Result<std::optional<std::string>> read_regular_file(const std::string& path, std::size_t bytes_max) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>();
  auto opened = open_regular_file(path, O_RDONLY);
  if (!opened) return opened.error();
  const Closing file(*opened);
  if (::fstat(file.fd, &info) != 0) return failed(path, "read", errno);
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > bytes_max) return too_large(path, bytes_max);
  std::string text(size, '\0');
  std::size_t got = 0;
  while (got <= bytes_max) {  // a file of /proc has no size, another one may have grown
    if (got == text.size()) text.resize(got + 4096);
    const auto part = ::read(file.fd, text.data() + got, text.size() - got);
    if (part < 0 && errno == EINTR) continue;
    if (part < 0) return failed(path, "read", errno);
    if (part == 0) break;
    got += static_cast<std::size_t>(part);
  }
  if (got > bytes_max) return too_large(path, bytes_max);
  text.resize(got);
  return std::optional(std::move(text));
}

bool sync_folder_of(const std::string& path) noexcept {
  const auto slash = path.rfind('/');
  const std::string folder = slash == path.npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const int why = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  errno = why;
  return why == 0;
}

Result<void> replace_file(const std::string& path, std::string_view content, Sync sync) {
  const std::string fresh = path + ".new";
  {
    auto opened = open_regular_file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!opened) return opened.error();
    const Closing file(*opened);
    if (!write_all(file.fd, content) || (sync == Sync::yes && ::fsync(file.fd) != 0))
      return failed(fresh, "written", errno);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failed(path, "replaced", errno);
  if (sync == Sync::yes && !sync_folder_of(path)) return failed(path, "replaced", errno);
  return {};
}

std::string damaged_name(const std::string& path, WallTime now) {
  std::string stamp = to_rfc3339(now).substr(0, 19) + "Z";
  for (char& c : stamp) c = c == ':' ? '-' : c;
  const std::string name = path + ".damaged-" + stamp;
  std::string free = name;
  for (int n = 2; exists(free); ++n) free = name + "-" + std::to_string(n);
  return free;
}

}  // namespace weft
