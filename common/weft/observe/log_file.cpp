#include "weft/observe/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "weft/base/files.hpp"

namespace weft::observe {
namespace {

namespace fs = std::filesystem;

/// What a descriptor is called while its file has no name any more: proc(5).
bool was_removed(int descriptor, const std::string& path) {
  std::error_code failure;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), failure) == path + " (deleted)";
}

}  // namespace

LogFile::LogFile(std::string path, std::vector<int> descriptors)
    : path_(std::move(path)), descriptors_(std::move(descriptors)) {
  struct stat held {};
  struct stat named {};
  if (::fstat(descriptors_.front(), &held) != 0 || !S_ISREG(held.st_mode)) return;
  device_ = held.st_dev;
  inode_ = held.st_ino;
  const bool same = ::stat(path_.c_str(), &named) == 0 && named.st_dev == held.st_dev && named.st_ino == held.st_ino;
  followed_ = same || was_removed(descriptors_.front(), path_);
  std::erase_if(descriptors_, [&](int one) {  // stdout may be elsewhere
    struct stat other {};
    return ::fstat(one, &other) != 0 || other.st_dev != device_ || other.st_ino != inode_;
  });
}

bool LogFile::follow() noexcept {
  if (!followed_) return true;
  struct stat named {};
  if (::stat(path_.c_str(), &named) == 0 && named.st_dev == device_ && named.st_ino == inode_) return attached_ = true;
  try {
    attached_ = reopen();
  } catch (...) {  // no memory for a path
    attached_ = false;
  }
  return attached_;
}

bool LogFile::reopen() {
  std::error_code failure;
  fs::create_directories(fs::path(path_).parent_path(), failure);
  const auto opened = open_regular_file(path_, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat held {};
  if (!opened || ::fstat(*opened, &held) != 0) {
    why_ = opened ? "fstat failed" : opened.error().message;
    if (opened) ::close(*opened);
    return false;
  }
  for (const int one : descriptors_) (void)::dup2(*opened, one);
  ::close(*opened);
  device_ = held.st_dev;
  inode_ = held.st_ino;
  ++reopened_;
  why_.clear();
  return true;
}

}  // namespace weft::observe
