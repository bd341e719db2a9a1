// Lines out of bytes that come in pieces, with the offset of each in its file. Pure.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft::logwatch {

struct Line {
  std::string_view text;     ///< without its end; borrowed during the call
  std::uint64_t offset = 0;  ///< of its first byte in the file
  bool cut = false;          ///< it was longer: only its beginning is here
};

/// A line longer than `line_max` bytes is given once, cut; its rest is skipped.
class LineSplitter {
 public:
  using OnLine = std::function<void(const Line&)>;
  /// `skipping`: the bytes that come first are the rest of a line that was given already.
  LineSplitter(std::size_t line_max, std::uint64_t offset, bool skipping)
      : line_max_(line_max), offset_(offset), skipping_(skipping) {}

  void feed(std::string_view bytes, const OnLine& on_line);
  /// Gives what has no line end yet: nothing more will come.
  void finish(const OnLine& on_line);
  /// Where a later splitter must begin so that it gives exactly the lines that this one did not.
  std::uint64_t offset() const noexcept { return offset_; }
  bool skipping() const noexcept { return skipping_; }

 private:
  void give(std::string_view text, bool cut, const OnLine& on_line) const;
  std::size_t line_max_;
  std::uint64_t offset_;  // of held_, or of the bytes to come
  bool skipping_;
  std::string held_;
};

/// What is not printable UTF-8 is replaced by '?'.
std::string printable(std::string_view text);

}  // namespace weft::logwatch
