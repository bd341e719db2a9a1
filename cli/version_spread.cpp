#include "cli/version_spread.hpp"

#include <algorithm>

#include "cli/output.hpp"

namespace weft::cli {

namespace {

using Holders = std::map<std::string, std::vector<std::string>>;  // by version
constexpr std::size_t kNamed = 3;                                 // holders that a finding names
constexpr std::string_view kForeign = "none";                     // agents that are not built with the library

std::string range(const wire::InstanceRecord& record) {
  const std::string first = std::to_string(record.protocol_min), last = std::to_string(record.protocol_max);
  return first == last ? first : first + " to " + last;
}

std::vector<VersionHolders> in_order(Holders holders) {
  std::vector<VersionHolders> out;
  for (auto& [version, who] : holders) {
    std::sort(who.begin(), who.end());
    out.push_back({version, std::move(who)});
  }
  return out;
}

/// "echo@alpha, echo@beta, sysmon@alpha and 4 more".
std::string named(const std::vector<std::string>& who) {
  const auto few = static_cast<std::ptrdiff_t>(std::min(who.size(), kNamed));
  std::string out = joined({who.begin(), who.begin() + few}, ", ");
  if (who.size() > kNamed) out += " and " + std::to_string(who.size() - kNamed) + " more";
  return printable(out);
}

/// "0.1.0 (echo@alpha), 0.2.0 (echo@beta)".
std::string listed(const std::vector<VersionHolders>& versions) {
  std::vector<std::string> out;
  for (const auto& one : versions) out.push_back(printable(one.version) + " (" + named(one.holders) + ")");
  return joined(out, ", ");
}

/// Those who have no version in common with somebody.
void find_parted(const std::vector<wire::InstanceRecord>& records, std::vector<SpreadFinding>& findings) {
  if (records.empty()) return;
  const auto lowest = std::min_element(records.begin(), records.end(),
                                       [](const auto& a, const auto& b) { return a.protocol_max < b.protocol_max; });
  const auto highest = std::max_element(records.begin(), records.end(),
                                        [](const auto& a, const auto& b) { return a.protocol_min < b.protocol_min; });
  if (lowest->protocol_max >= highest->protocol_min) return;
  findings.push_back({"critical", lowest->agent + "@" + lowest->host + " speaks version " + range(*lowest) +
                                      " of the protocol and " + highest->agent + "@" + highest->host + " version " +
                                      range(*highest) + ": they do not call each other"});
}

}  // namespace

VersionSpread version_spread(const std::vector<wire::InstanceRecord>& records) {
  Holders weft, protocol;
  std::map<std::string, Holders> agents;
  for (const auto& record : records) {
    const std::string who = record.agent + "@" + record.host;
    const auto tag = record.tags.find("weft");
    weft[tag == record.tags.end() ? std::string(kForeign) : tag->second].push_back(who);
    protocol[range(record)].push_back(who);
    agents[record.agent][record.version].push_back(who);
  }
  VersionSpread out;
  out.weft = in_order(std::move(weft));
  out.protocol = in_order(std::move(protocol));
  find_parted(records, out.findings);
  const auto warn = [&out](const std::string& what, const std::vector<VersionHolders>& versions) {
    if (versions.size() > 1) out.findings.push_back({"warning", what + ": " + listed(versions)});
  };
  std::vector<VersionHolders> releases = out.weft;
  std::erase_if(releases, [](const VersionHolders& one) { return one.version == kForeign; });
  warn("more than one release of Weft", releases);
  warn("more than one range of the protocol", out.protocol);
  for (auto& [agent, versions] : agents) {
    out.agents.push_back({agent, in_order(std::move(versions))});
    warn("more than one version of agent '" + printable(agent) + "'", out.agents.back().versions);
  }
  out.even = out.findings.empty();
  return out;
}

}  // namespace weft::cli
