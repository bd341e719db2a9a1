// The section `queues`: rules by pattern of target.
#include <algorithm>

#include "weft/queue/queue.hpp"

namespace weft::queue {
namespace {

/// `*` stands for any number of letters.
bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() && matches(pattern.substr(1), text.substr(1));
  }
  return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
}

/// A pattern without a dot is of the agent, for all its queues.
bool takes(std::string_view pattern, std::string_view target) {
  const auto dot = pattern.find('.');
  const auto at = target.find('.');
  if (!matches(pattern.substr(0, dot), target.substr(0, at))) return false;
  return dot == std::string_view::npos || matches(pattern.substr(dot + 1), target.substr(at + 1));
}

auto letters(std::string_view pattern) {
  return std::count_if(pattern.begin(), pattern.end(), [](char c) { return c != '*' && c != '.'; });
}

Result<void> overlay(const std::string& pattern, const Value& values, Rules& rules) {
  if (auto read = read_value(values, rules, "queues." + pattern, Unknown::skip); !read)
    return Error(codes::bad_config, read.error().message);
  return {};
}

}  // namespace

Rules Options::rules_for(std::string_view target) const {
  Rules out;
  if (!rules.is_map()) return out;
  std::vector<std::string> patterns;
  for (const auto& [pattern, values] : rules.as_map()) {
    if (takes(pattern, target)) patterns.push_back(pattern);
  }
  std::stable_sort(patterns.begin(), patterns.end(),
                   [](const auto& a, const auto& b) { return letters(a) < letters(b); });
  for (const auto& pattern : patterns) (void)overlay(pattern, rules[pattern], out);  // options_from() has read it once
  return out;
}

Result<Options> options_from(const config::Config& config, const mesh::PeerOptions& peer) {
  Options options;
  options.agent = peer.agent;
  options.host = peer.host;
  options.instance = peer.instance.to_string();
  options.payload_max = peer.limits.payload_max;
  if (const auto state = config.get<std::string>("state.directory"); !state.empty())
    options.file = state + "/queues/" + peer.slot;
  options.rules = config.at("queues");
  if (!options.rules.is_map()) return options;
  for (const auto& [pattern, values] : options.rules.as_map()) {
    Rules tried;
    if (auto read = overlay(pattern, values, tried); !read) return read.error();
  }
  return options;
}

}  // namespace weft::queue
