#include "weft/mesh/hints.hpp"

#include <algorithm>

namespace weft::mesh {
namespace {

/// The first `count` segments, or all when there are fewer.
std::string_view first_segments(std::string_view topic, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < topic.size(); --count) end = std::min(topic.find('.', end + 1), topic.size());
  return topic.substr(0, end);
}

}  // namespace

std::optional<std::string> nearest_topic(const TopicPattern& pattern, const std::vector<std::string>& published) {
  std::string_view literal = pattern.literal_prefix();
  if (literal.ends_with('.')) literal.remove_suffix(1);
  if (literal.empty()) return std::nullopt;
  const auto segments = static_cast<std::size_t>(std::count(literal.begin(), literal.end(), '.')) + 1;
  std::vector<std::string_view> known;
  for (const auto& topic : published) {
    const auto parsed = TopicPattern::parse(topic);
    if (parsed && parsed->overlaps(pattern)) return std::nullopt;
    const auto begin = pattern.exact() ? std::string_view(topic) : first_segments(topic, segments);
    if (begin.find_first_of("*#") == std::string_view::npos) known.push_back(begin);
  }
  auto found = nearest(literal, known);
  if (!found) return std::nullopt;
  return *found + pattern.text().substr(literal.size());
}

}  // namespace weft::mesh
