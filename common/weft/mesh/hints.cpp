#include "weft/mesh/hints.hpp"

namespace weft::mesh {
namespace {

/// `pattern` with the words of `topic` where it has words itself; none where the two cannot be laid beside each other.
std::optional<std::string> worded(const TopicPattern& pattern, std::string_view topic) {
  const auto wanted = split(pattern.text(), '.'), known = split(topic, '.');
  const bool open_end = wanted.back() == "#";
  if (open_end ? known.size() + 1 < wanted.size() : known.size() != wanted.size()) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool own = wanted[i] == "*" || wanted[i] == "#" || known[i] == "*" || known[i] == "#";
    (out += i == 0 ? "" : ".") += own ? wanted[i] : known[i];
  }
  return out;
}

}  // namespace

std::optional<std::string> nearest_topic(const TopicPattern& pattern, const std::vector<std::string>& published) {
  std::vector<std::string> known;
  for (const auto& topic : published) {
    const auto parsed = TopicPattern::parse(topic);
    if (!parsed) continue;
    if (parsed->overlaps(pattern)) return std::nullopt;
    if (!pattern.exact()) {
      if (auto candidate = worded(pattern, topic)) known.push_back(std::move(*candidate));
    } else if (parsed->exact()) {
      known.push_back(topic);
    }
  }
  return nearest(pattern.text(), {known.begin(), known.end()});
}

}  // namespace weft::mesh
