// FileEvents: inotify on the loop. Tells which followed file grew, and that something came or went in a folder.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agents/logwatch/positions.hpp"

namespace weft::logwatch {

/// Borrows the loop.
class FileEvents {
 public:
  using OnFile = std::function<void(const Identity&)>;
  using OnFolder = std::function<void()>;
  FileEvents(Loop& loop, OnFile on_file, OnFolder on_folder);
  ~FileEvents();
  FileEvents(const FileEvents&) = delete;
  FileEvents& operator=(const FileEvents&) = delete;

  /// Watches these files (by descriptor, so whatever their names) and folders, and no others any more. False: the
  /// system has no room for some of them; whoever needs them must look from time to time.
  bool follow(const std::vector<std::pair<Identity, int>>& files, const std::vector<std::string>& folders);

 private:
  void drain();
  int add(const std::string& path, std::uint32_t mask);
  Loop& loop_;
  OnFile on_file_;
  OnFolder on_folder_;
  int fd_;
  Loop::Id watch_ = 0;
  std::map<Identity, int> files_;
  std::map<int, Identity> by_watch_;
};

/// The folders in which the files of `globs` come and go; those with a wildcard in the folder itself have none.
std::vector<std::string> folders_of(const std::vector<std::string>& globs);

}  // namespace weft::logwatch
