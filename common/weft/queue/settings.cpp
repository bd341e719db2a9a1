// The section `queues`: rules by pattern of target.
#include <algorithm>

#include "weft/base/target.hpp"
#include "weft/policy/policy.hpp"
#include "weft/queue/queue.hpp"

namespace weft::queue {
namespace {

Result<void> overlay(const std::string& pattern, const Value& values, Rules& rules) {
  if (auto read = read_value(values, rules, "queues." + pattern, Unknown::skip); !read)
    return Error(codes::bad_config, read.error().message);
  return {};
}

}  // namespace

Rules Options::rules_for(std::string_view target) const {
  Rules out;
  if (!rules.is_map()) return out;
  const auto parts = split_target(target);
  std::vector<policy::TargetPattern> patterns;
  for (const auto& [text, values] : rules.as_map()) {
    auto pattern = policy::TargetPattern::parse(text);
    if (pattern && pattern->matches(parts.agent, parts.method)) patterns.push_back(std::move(*pattern));
  }
  std::sort(patterns.begin(), patterns.end());
  for (const auto& pattern : patterns)
    (void)overlay(pattern.text(), rules[pattern.text()], out);  // options_from() has read it once
  return out;
}

Result<Options> options_from(const config::Config& config, const peer::PeerOptions& peer) {
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
    if (auto fine = policy::TargetPattern::parse(pattern); !fine)
      return Error(codes::bad_config, "queues." + pattern + ": " + fine.error().message, fine.error().hint);
    Rules tried;
    if (auto read = overlay(pattern, values, tried); !read) return read.error();
  }
  return options;
}

}  // namespace weft::queue
