// inotify(7).
#include "agents/logwatch/file_events.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

namespace weft::logwatch {

FileEvents::FileEvents(Loop& loop, OnFile on_file, OnFolder on_folder)
    : loop_(loop),
      on_file_(std::move(on_file)),
      on_folder_(std::move(on_folder)),
      fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (fd_ >= 0) watch_ = loop_.watch(fd_, [this] { drain(); });
}

FileEvents::~FileEvents() {
  loop_.unwatch(watch_);
  if (fd_ >= 0) ::close(fd_);
}

int FileEvents::add(const std::string& path, std::uint32_t mask) {
  return ::inotify_add_watch(fd_, path.c_str(), mask);
}

bool FileEvents::follow(const std::vector<std::pair<Identity, int>>& files, const std::vector<std::string>& folders) {
  if (fd_ < 0) return false;
  bool all = true;
  const std::map<Identity, int> wanted(files.begin(), files.end());
  for (auto file = files_.begin(); file != files_.end();) {
    if (wanted.count(file->first) > 0) {
      ++file;
      continue;
    }
    ::inotify_rm_watch(fd_, file->second);
    by_watch_.erase(file->second);
    file = files_.erase(file);
  }
  for (const auto& [identity, descriptor] : wanted) {
    if (files_.count(identity) > 0) continue;
    const int watch = add("/proc/self/fd/" + std::to_string(descriptor), IN_MODIFY);
    all = all && watch >= 0;
    if (watch < 0) continue;
    files_.emplace(identity, watch);
    by_watch_.insert_or_assign(watch, identity);
  }
  for (const auto& folder : folders) {  // again each time: a folder may have been made anew
    const int watch = add(folder, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR);
    all = all && (watch >= 0 || errno == ENOENT || errno == EACCES);
  }
  return all;
}

void FileEvents::drain() {
  alignas(inotify_event) char buffer[16 * 1024];
  std::set<int> files;
  bool folder = false;
  ssize_t got = 0;
  while ((got = ::read(fd_, buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < got;) {
      inotify_event event{};
      std::memcpy(&event, buffer + at, sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_IGNORED) != 0) continue;
      if (by_watch_.count(event.wd) > 0) {
        files.insert(event.wd);
      } else {
        folder = true;  // an overflow of the queue too: look at everything
      }
    }
  }
  for (const int watch : files) {
    if (const auto file = by_watch_.find(watch); file != by_watch_.end()) on_file_(file->second);
  }
  if (folder) on_folder_();
}

std::vector<std::string> folders_of(const std::vector<std::string>& globs) {
  std::set<std::string> folders;
  for (const auto& pattern : globs) {
    const auto folder = std::filesystem::path(pattern).parent_path().string();
    if (folder.find_first_of("*?[") == std::string::npos) folders.insert(folder.empty() ? "." : folder);
  }
  return {folders.begin(), folders.end()};
}

}  // namespace weft::logwatch
