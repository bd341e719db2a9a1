// Spool: error events in a file, first in, first out, over restarts. Private to report. Loop-bound.
//
// The file: "WFSPOOL1", then the offset of the first frame that still counts (8 bytes), then frames; a frame is the
// length of its body, the CRC-32 of its body (4 bytes each) and the body, an ErrorEvent as MessagePack. Numbers are
// little-endian.
#pragma once
#include <deque>
#include <optional>
#include <string>

#include "weft/base/base.hpp"

namespace weft::report {

class Spool {
 public:
  Spool(std::string file, std::uint64_t bytes_max) : file_(std::move(file)), bytes_max_(bytes_max) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Opens or creates the file (mode 0600) and its folder, and finds what an earlier process left in it; a frame that a
  /// crash cut off is removed and counted, and a file that is no spool, one of 0 bytes included, is moved aside to
  /// <file>.damaged-<time> and counted. No effect when open. Errors: `io_failed`; `disk_full`; `already_running`:
  /// another process has it.
  Result<void> open();
  bool is_open() const noexcept { return fd_ >= 0; }

  /// Appends an event that its owner keeps in memory too (`held`), or one that read() will return. Held ones only while
  /// nothing is unread. Errors: `too_large` (the file is at its limit), `io_failed`, `disk_full`; the file is as it
  /// was.
  Result<void> append(const ErrorEvent& event, bool held);
  /// The next event that is not held, which is held now; or none.
  std::optional<ErrorEvent> read();
  /// The first `events` of those held are done with. A file that is through gives its room back.
  void drop(std::size_t events);

  std::uint64_t unread() const noexcept { return unread_; }
  std::uint64_t bytes() const noexcept { return end_ - begin_; }                ///< of the events in it
  std::uint64_t take_damaged() noexcept { return std::exchange(damaged_, 0); }  ///< frames lost, told once

 private:
  struct Frame {
    std::uint64_t size;         ///< with its head, and with damaged frames before it
    std::optional<Bytes> body;  ///< none: damaged
  };
  /// The frame at `offset`; none: no whole frame lies there.
  std::optional<Frame> frame_at(std::uint64_t offset) const;
  Result<bool> prepare(bool is_new);
  Result<void> begin_new();
  void scan();
  void write_begin() noexcept;
  Error failed(const char* doing) const;

  std::string file_;
  std::uint64_t bytes_max_;
  int fd_ = -1;
  std::uint64_t begin_ = 0, read_at_ = 0, end_ = 0;
  std::deque<std::uint64_t> held_;  // sizes
  std::uint64_t unread_ = 0, damaged_ = 0;
};

}  // namespace weft::report
