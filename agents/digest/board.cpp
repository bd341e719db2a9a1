// Tables of hosts and series.
#include "agents/digest/board.hpp"

#include <cmath>
#include <optional>

namespace weft::digest {

bool Board::add(const std::string& host, const std::string& series, double value, TimePoint now) {
  auto at = hosts_.find(host);
  const bool known_host = at != hosts_.end();
  const bool known_series = known_host && at->second.series.count(series) > 0;
  const bool no_room =
      (!known_host && hosts_.size() >= limits_.hosts_max) || (!known_series && series_count_ >= limits_.series_max);
  if (no_room || !std::isfinite(value)) {
    ++refused_;
    return false;
  }
  if (!known_host) at = hosts_.emplace(host, Host{}).first;
  if (!known_series) ++series_count_;
  at->second.seen = now;
  at->second.series[series].add(value, now);
  return true;
}

std::vector<std::string> Board::expire(TimePoint now) {
  std::vector<std::string> gone;
  for (auto host = hosts_.begin(); host != hosts_.end();) {
    series_count_ -= std::erase_if(host->second.series,
                                   [&](const auto& entry) { return now - entry.second.last_at() > limits_.forget; });
    if (host->second.series.empty()) {
      gone.push_back(host->first);
      host = hosts_.erase(host);
    } else {
      ++host;
    }
  }
  return gone;
}

Result<Summary> Board::summary(const SummaryRequest& request, TimePoint now) const {
  auto pattern = TopicPattern::parse(request.series.empty() ? "#" : request.series);
  if (!pattern) return pattern.error();
  if (!request.host.empty() && hosts_.count(request.host) == 0) {
    std::string known;
    for (const auto& [name, host] : hosts_) known += (known.empty() ? "" : ", ") + name;
    return Error(ErrorKind::not_found, "UNKNOWN_HOST",
                 "no figures of host '" + request.host + "'; known: " + (known.empty() ? "none" : known));
  }
  Summary summary;
  summary.window = request.window;
  for (const auto& [name, host] : hosts_) {
    if (!request.host.empty() && request.host != name) continue;
    auto& told = summary.hosts[name];
    for (const auto& [series_name, series] : host.series) {
      if (!pattern->matches(series_name)) continue;
      const auto figures = series.figures(request.window, now);
      if (figures.count > 0) told.emplace(series_name, figures);
    }
  }
  return summary;
}

std::vector<HostSeen> Board::hosts(TimePoint now) const {
  std::vector<HostSeen> all;
  for (const auto& [name, host] : hosts_) all.push_back({name, to_seconds(now - host.seen), host.series.size()});
  return all;
}

}  // namespace weft::digest
