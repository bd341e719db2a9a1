// The file that a process appends its log to, followed through renames and removals. Private to observe.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::observe {

/// Not thread-safe: Log calls it under its lock.
class LogFile {
 public:
  /// `path` is the file that `descriptors` append to. Where the first one appends to another file (a wrapper redirected
  /// it), nothing is followed: followed() is false.
  LogFile(std::string path, std::vector<int> descriptors);

  bool followed() const noexcept { return followed_; }
  /// Compares what the path names now with what the descriptors write to: one stat(2). When these differ, opens the
  /// path (and makes its folder, if that is missing) and puts the new file behind the same descriptors. Where that
  /// fails they keep the file that they have, and the next call tries again. True: the descriptors write to the file of
  /// the path.
  bool follow() noexcept;
  std::uint64_t reopened() const noexcept { return reopened_; }
  bool attached() const noexcept { return attached_; }  ///< what follow() returned last
  const std::string& path() const noexcept { return path_; }
  const std::string& why() const noexcept { return why_; }  ///< why the last follow() failed; may be empty

 private:
  bool reopen();

  std::string path_;
  std::vector<int> descriptors_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::uint64_t reopened_ = 0;
  bool followed_ = false, attached_ = true;
  std::string why_;
};

}  // namespace weft::observe
