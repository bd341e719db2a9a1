// From names to files and back.
#include "agents/logwatch/follower.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace weft::logwatch {

namespace {
constexpr std::size_t kShare = 256 * 1024;  // bytes of one file, before the next has its turn

std::optional<Identity> identity_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  return Identity{found.st_dev, found.st_ino};
}

/// Wall time of creation in microseconds; 0 where the file system does not keep it.
std::int64_t born_us(const std::string& path) {
  struct statx found {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BTIME, &found) != 0 || (found.stx_mask & STATX_BTIME) == 0) return 0;
  return found.stx_btime.tv_sec * 1'000'000 + found.stx_btime.tv_nsec / 1000;
}
}  // namespace

Follower::Follower(Options options, Positions saved, OnLine on_line, OnTrouble on_trouble)
    : options_(std::move(options)),
      on_line_(std::move(on_line)),
      on_trouble_(std::move(on_trouble)),
      saved_us_(saved.saved_us) {
  for (auto& position : saved.files) {
    saved_paths_.insert(position.path);
    saved_.insert_or_assign({position.device, position.inode}, std::move(position));
  }
}

std::vector<std::string> Follower::find_paths() const {
  std::set<std::string> paths;
  for (const auto& pattern : options_.globs) {
    ::glob_t found{};
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace(found.gl_pathv[i]);
    }
    ::globfree(&found);
  }
  return {paths.begin(), paths.end()};
}

void Follower::scan(TimePoint now) {
  for (auto& [identity, file] : files_) file.named = false;
  over_limit_ = 0;
  const auto paths = find_paths();
  for (const auto& path : paths) found(path, now);
  std::erase_if(troubled_, [&](const auto& path) { return !std::binary_search(paths.begin(), paths.end(), path); });
  if (first_scan_) find_renamed(now);
  first_scan_ = false;
  for (const auto& [identity, file] : files_) due_.insert(identity);
}

void Follower::found(const std::string& path, TimePoint now) {
  const auto identity = identity_of(path);
  if (!identity) return;
  if (const auto known = files_.find(*identity); known != files_.end()) {
    if (!known->second.named) {  // a second name of a file changes nothing
      if (known->second.tail.path != path) ++revision_;
      known->second.tail.path = path;
    }
    known->second.named = true;
  } else if (files_.size() >= options_.files_max) {
    ++over_limit_;
  } else {
    follow(path, open_new(path, *identity), now);
  }
}

Result<Tail> Follower::open_new(const std::string& path, const Identity& identity) {
  // The number of a device may be another after a reboot.
  const auto position = std::find_if(saved_.begin(), saved_.end(), [&](const auto& entry) {
    return entry.first == identity || (entry.first.inode == identity.inode && entry.second.path == path);
  });
  if (position != saved_.end()) {
    const auto from = std::move(position->second);
    saved_.erase(position);
    return Tail::resume(path, from, options_.line_max);
  }
  // New since the last run: rotated into a known name, or made after the positions were saved.
  const bool known_name = saved_paths_.count(path) > 0;
  const bool is_new = !first_scan_ || known_name || (saved_us_ > 0 && born_us(path) > saved_us_);
  return Tail::open(path, is_new ? Tail::From::start : options_.from, options_.line_max);
}

void Follower::follow(const std::string& path, Result<Tail> tail, TimePoint now) {
  if (!tail) {
    if (tail.error().kind != ErrorKind::not_found && troubled_.insert(path).second) on_trouble_(tail.error());
    return;
  }
  troubled_.erase(path);
  const auto identity = tail->identity();
  files_.emplace(identity, File{std::move(*tail), true, now});
  ++revision_;
}

bool Follower::is_wanted(const std::string& path) const {
  return std::any_of(options_.globs.begin(), options_.globs.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
  });
}

void Follower::find_renamed(TimePoint now) {
  std::map<std::string, std::vector<Position>> by_folder;
  for (auto& [identity, position] : saved_)
    if (is_wanted(position.path))
      by_folder[std::filesystem::path(position.path).parent_path().string()].push_back(std::move(position));
  saved_.clear();
  for (const auto& [folder, positions] : by_folder) {
    std::error_code failure;
    for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
      const auto path = entry.path().string();
      const auto identity = identity_of(path);
      for (const auto& position : positions) {
        if (!identity || *identity != Identity{position.device, position.inode}) continue;
        follow(path, Tail::resume(path, position, options_.line_max), now);
        if (const auto file = files_.find(*identity); file != files_.end()) file->second.named = false;
      }
    }
  }
}

bool Follower::read(std::size_t budget, TimePoint now) {
  while (!due_.empty() && budget > 0) {
    auto next = due_.upper_bound(last_read_);  // in turn, so that one busy file does not hold up the others
    if (next == due_.end()) next = due_.begin();
    last_read_ = *next;
    const auto file = files_.find(last_read_);
    const auto share = std::min(budget, kShare);
    const auto got = file == files_.end() ? 0 : read_file(file->second, share, now);
    if (got < share) due_.erase(last_read_);
    budget -= got;
  }
  leave_silent(now);
  return !due_.empty();
}

std::size_t Follower::read_file(File& file, std::size_t budget, TimePoint now) {
  const auto before = file.tail.truncations();
  const auto got = file.tail.read(budget, [&](const Line& line) { on_line_(file.tail.path, line); });
  truncations_ += file.tail.truncations() - before;
  if (got > 0 || file.tail.truncations() != before) {
    ++revision_;
    file.grown = now;
  }
  return got;
}

void Follower::leave_silent(TimePoint now) {
  for (auto file = files_.begin(); file != files_.end();) {
    const bool done =
        !file->second.named && due_.count(file->first) == 0 && now - file->second.grown >= options_.linger;
    if (done) {
      file->second.tail.finish([&](const Line& line) { on_line_(file->second.tail.path, line); });
      file = files_.erase(file);
      ++revision_;
    } else {
      ++file;
    }
  }
}

Positions Follower::positions(WallTime now) const {
  Positions positions{to_us(now), {}};
  for (const auto& [identity, file] : files_) positions.files.push_back(file.tail.position());
  return positions;
}

std::vector<std::pair<Identity, int>> Follower::descriptors() const {
  std::vector<std::pair<Identity, int>> all;
  for (const auto& [identity, file] : files_) all.emplace_back(identity, file.tail.fd());
  return all;
}

}  // namespace weft::logwatch
