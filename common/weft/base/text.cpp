#include "weft/base/text.hpp"

#include <algorithm>

#include "weft/base/codes.hpp"

namespace weft {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {  // Levenshtein, one row
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

bool name_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kNameMax && std::all_of(text.begin(), text.end(), name_char);
}
std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, 80)) + (text.size() > 80 ? "…'" : "'");
}

/// Cuts the first segment off `rest`.
std::string_view cut(std::string_view& rest) noexcept {
  const auto dot = rest.find('.');
  const auto first = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return first;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > 100) return std::nullopt;
  std::size_t best = (word.size() < 4 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1;
  std::optional<std::string> found;
  for (const auto candidate : known) {
    if (candidate.size() > 100) continue;
    if (const auto distance = edit_distance(word, candidate); distance < best) {
      best = distance;
      found = std::string(candidate);
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  const auto found = nearest(word, known);
  return found ? ", did you mean '" + *found + "'?" : "";
}

Result<void> check_name(std::string_view what, std::string_view name) {
  if (is_name(name)) return {};
  return Error(codes::bad_name, std::string(what) + " " + shown(name) + " is not 1 to 64 of A-Z a-z 0-9 _ -");
}

Result<void> check_topic(std::string_view topic) {
  bool good = !topic.empty() && topic.size() <= kTopicMax;
  for (const auto segment : split(topic, '.')) good = good && is_name(segment);
  if (good) return {};
  return Error(codes::bad_topic,
               "topic " + shown(topic) + " is not dot-separated names (A-Z a-z 0-9 _ -), at most 200 bytes");
}

Result<TopicPattern> TopicPattern::parse(std::string_view text) {
  bool good = !text.empty() && text.size() <= kTopicMax;
  TopicPattern pattern;
  pattern.text_ = std::string(text);
  const auto segments = split(text, '.');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool wildcard = segments[i] == "*" || (segments[i] == "#" && i + 1 == segments.size());
    good = good && (wildcard || is_name(segments[i]));
    if (wildcard) pattern.exact_ = false;
  }
  if (good) return pattern;
  return Error(
      codes::bad_topic,
      "pattern " + shown(text) + " is not dot-separated names, '*' for one, '#' last for the rest; at most 200 bytes");
}

bool TopicPattern::matches(std::string_view topic) const noexcept {
  if (exact_) return topic == text_;
  std::string_view pattern = text_;
  while (!pattern.empty()) {
    const auto wanted = cut(pattern);
    if (wanted == "#") return true;
    if (topic.empty()) return false;
    const auto got = cut(topic);
    if (wanted != "*" && wanted != got) return false;
  }
  return topic.empty();
}

bool TopicPattern::overlaps(const TopicPattern& other) const noexcept {
  std::string_view a = text_, b = other.text_;
  while (!a.empty() && !b.empty()) {
    const auto left = cut(a), right = cut(b);
    if (left == "#" || right == "#") return true;
    if (left != "*" && right != "*" && left != right) return false;
  }
  return (a.empty() && b.empty()) || a == "#" || b == "#";
}

std::string_view TopicPattern::literal_prefix() const noexcept {
  if (exact_) return text_;
  const std::string_view text = text_;
  const auto wildcard = text.find_first_of("*#");
  // "a.#" matches "a" too, so its dot is no part of the prefix
  return text.substr(0, text[wildcard] == '#' && wildcard > 0 ? wildcard - 1 : wildcard);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t");
  return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text = text.substr(at + 1);
  }
}

}  // namespace weft
