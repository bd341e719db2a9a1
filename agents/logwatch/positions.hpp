// Positions: how far each file was read, kept over a restart. Values, and one file: a line of JSON, and a line
// with its FNV-1a sum.
#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "weft/base/base.hpp"
#include "weft/base/hash.hpp"

namespace weft::logwatch {

/// Which file it is, whatever its name.
struct Identity {
  std::uint64_t device = 0, inode = 0;
  friend auto operator<=>(const Identity&, const Identity&) = default;
};

struct Position {
  std::string path;  ///< where it was last seen
  std::uint64_t device = 0, inode = 0;
  std::uint64_t offset = 0;     ///< of the first line not given yet
  bool skipping = false;        ///< `offset` is inside a line that was given already, cut
  std::uint64_t head_size = 0;  ///< bytes that `head` is over
  std::string head;  ///< hash of the first bytes: tells another file that got the same inode, or was written anew
  WEFT_FIELDS(Position, path, device, inode, offset, skipping, head_size, head)
  friend bool operator==(const Position&, const Position&) = default;
};

struct Positions {
  std::int64_t saved_us = 0;  ///< wall time; 0: never
  std::vector<Position> files;
  WEFT_FIELDS(Positions, saved_us, files)
};

/// An absent file is no positions. Errors: `io_failed` (not a regular file, say), `too_large`, `bad_encoding`: it is
/// damaged.
Result<Positions> load_positions(const std::string& file);
/// The old file stays whole when this fails. Errors: `io_failed`, `disk_full`.
Result<void> save_positions(const std::string& file, const Positions& positions);

}  // namespace weft::logwatch
