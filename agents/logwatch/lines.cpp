// Cutting bytes into lines.
#include "agents/logwatch/lines.hpp"

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
/// Length of the well-formed UTF-8 sequence at the start (Unicode 15, table 3-7), or 0.
std::size_t sequence(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : '\0'); };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first >= 0x20 && first < 0x7F) return 1;
  if (first == '\t') return 1;
  if (first >= 0xC2 && first <= 0xDF && tail(1)) return first == 0xC2 && second < 0xA0 ? 0 : 2;
  if (first >= 0xE0 && first <= 0xEF && tail(1) && tail(2)) {
    const bool overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const bool overlong = first == 0xF0 && second < 0x90, beyond = first == 0xF4 && second >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}
}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence(text);
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
