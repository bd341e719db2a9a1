// Follower: finds the files that globs name, reads them as they grow, and keeps to a file through its rotation. Reads
// the file system; has no clock and no loop of its own.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/logwatch/tail.hpp"

namespace weft::logwatch {

class Follower {
 public:
  struct Options {
    std::vector<std::string> globs;     ///< glob(7)
    Tail::From from = Tail::From::end;  ///< for files that were there before the first start
    std::size_t files_max = 256;        ///< more are counted and not followed
    std::size_t line_max = 16 * 1024;   ///< bytes
    Duration linger = 30s;              ///< a file without a name is left after that long without growth
  };
  using OnLine = std::function<void(const std::string& path, const Line& line)>;
  /// Told once a path until it can be read again.
  using OnTrouble = std::function<void(const Error& error)>;

  Follower(Options options, Positions saved, OnLine on_line, OnTrouble on_trouble);

  /// Looks for files that came, were renamed or went. Every file is due for reading afterwards.
  void scan(TimePoint now);
  /// Makes one file due for reading.
  void mark(const Identity& file) { due_.insert(file); }
  /// Reads what is due, at most `budget` bytes together; true: some is left.
  bool read(std::size_t budget, TimePoint now);
  Positions positions(WallTime now) const;

  /// Grows with each change of positions(); the same number: nothing to save.
  std::uint64_t revision() const noexcept { return revision_; }
  std::size_t size() const noexcept { return files_.size(); }
  std::uint64_t truncations() const noexcept { return truncations_; }
  std::uint64_t over_limit() const noexcept { return over_limit_; }  ///< files of the last scan that were too many
  std::vector<std::pair<Identity, int>> descriptors() const;         ///< borrowed until the next scan() or read()

 private:
  struct File {
    Tail tail;
    bool named = true;  // some path still leads to it
    TimePoint grown{};
  };
  std::vector<std::string> find_paths() const;
  void found(const std::string& path, TimePoint now);
  void follow(const std::string& path, Result<Tail> tail, TimePoint now);
  Result<Tail> open_new(const std::string& path, const Identity& identity);
  bool is_wanted(const std::string& path) const;
  void find_renamed(TimePoint now);
  std::size_t read_file(File& file, std::size_t budget, TimePoint now);
  void leave_silent(TimePoint now);

  Options options_;
  OnLine on_line_;
  OnTrouble on_trouble_;
  std::map<Identity, Position> saved_;  // not found again yet
  std::set<std::string> saved_paths_;
  std::int64_t saved_us_;
  bool first_scan_ = true;
  std::map<Identity, File> files_;
  std::set<Identity> due_;
  Identity last_read_;
  std::set<std::string> troubled_;
  std::uint64_t revision_ = 0, truncations_ = 0, over_limit_ = 0;
};

}  // namespace weft::logwatch
