// Tail: one open file, read as it grows. It keeps the file, not the name: a rotated file is read to its end.
#pragma once
#include <string>

#include "agents/logwatch/lines.hpp"
#include "agents/logwatch/positions.hpp"

namespace weft::logwatch {

class Tail {
 public:
  enum class From : std::uint8_t { start, end };
  /// Errors: `io_failed`, `not_found`, `invalid` (no regular file).
  static Result<Tail> open(const std::string& path, From from, std::size_t line_max);
  /// Goes on at `position` when it is still that file, else from its start.
  static Result<Tail> resume(const std::string& path, const Position& position, std::size_t line_max);
  Tail(Tail&& other) noexcept;
  Tail& operator=(Tail&&) = delete;
  ~Tail();

  /// Reads at most `budget` bytes; returns how many. A file that became shorter, or begins with other bytes than
  /// before, was truncated: it is read from its start.
  std::size_t read(std::size_t budget, const LineSplitter::OnLine& on_line);
  /// The last line, when it has no end: nothing more will come.
  void finish(const LineSplitter::OnLine& on_line) { lines_.finish(on_line); }
  Position position() const;
  Identity identity() const noexcept { return identity_; }
  int fd() const noexcept { return fd_; }
  std::uint64_t truncations() const noexcept { return truncations_; }

  std::string path;  ///< where it was last seen

 private:
  Tail(int fd, std::string at, Identity identity, std::size_t line_max, std::uint64_t offset, bool skipping);
  void notice_truncation(const LineSplitter::OnLine& on_line);
  void learn_head();

  int fd_;
  Identity identity_;
  std::size_t line_max_;
  LineSplitter lines_;
  std::uint64_t read_to_;
  std::string head_;  // the first bytes, at most kHeadMax
  std::uint64_t truncations_ = 0;
};

}  // namespace weft::logwatch
