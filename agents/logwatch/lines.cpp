// Cutting bytes into lines.
#include "agents/logwatch/lines.hpp"

#include "weft/base/utf8.hpp"

#include <algorithm>

namespace weft::logwatch {

void LineSplitter::give(std::string_view text, bool cut, const OnLine& on_line) const {
  if (!cut && text.ends_with('\r')) text.remove_suffix(1);
  on_line({text, offset_, cut});
}

void LineSplitter::feed(std::string_view bytes, const OnLine& on_line) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    const auto part = bytes.substr(0, whole ? end : bytes.size());
    const std::size_t taken = part.size() + (whole ? 1 : 0);
    bytes.remove_prefix(taken);
    if (skipping_) {
      offset_ += taken;
      skipping_ = !whole;
      continue;
    }
    const std::size_t length = held_.size() + part.size();
    if (length > line_max_) {
      held_.append(part.substr(0, line_max_ - std::min(held_.size(), line_max_)));
      give(held_, true, on_line);
      skipping_ = !whole;
    } else if (whole && held_.empty()) {
      give(part, false, on_line);
    } else {
      held_.append(part);
      if (whole) give(held_, false, on_line);
    }
    if (whole || skipping_) {
      offset_ += length + (whole ? 1 : 0);
      held_.clear();
    }
  }
}

void LineSplitter::finish(const OnLine& on_line) {
  if (!held_.empty()) give(held_, false, on_line);
  offset_ += held_.size();
  held_.clear();
}

namespace {
/// Length of the printable character at the start, or 0.
std::size_t printable_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto length = utf8::sequence_length(text);
  if (length == 1) return (byte(0) >= 0x20 && byte(0) != 0x7F) || byte(0) == '\t' ? 1 : 0;
  const bool control = length == 2 && byte(0) == 0xC2 && byte(1) < 0xA0;
  return control ? 0 : length;
}
}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto length = printable_length(text);
    if (length == 0) {
      shown += '?';
      text.remove_prefix(1);
    } else {
      shown.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return shown;
}

}  // namespace weft::logwatch
