// What the records of a mesh say of versions: which are there, who runs each, and whether that is even. Pure.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "weft/wire/record.hpp"

namespace weft::cli {

/// A version, or a range of them, and who has it: "echo@beta", in order.
struct VersionHolders {
  std::string version;
  std::vector<std::string> holders;
  WEFT_FIELDS(VersionHolders, version, holders)
};
struct AgentVersions {
  std::string agent;
  std::vector<VersionHolders> versions;
  WEFT_FIELDS(AgentVersions, agent, versions)
};
struct SpreadFinding {
  std::string severity;  ///< "warning"; "critical": some cannot talk to others
  std::string text;
  WEFT_FIELDS(SpreadFinding, severity, text)
};
struct VersionSpread {
  bool even = true;
  std::vector<VersionHolders> weft;      ///< releases; "unknown": one that does not say it
  std::vector<VersionHolders> protocol;  ///< versions of the envelope: "1", "1 to 2"
  std::vector<AgentVersions> agents;     ///< each agent's own
  std::vector<SpreadFinding> findings;   ///< critical ones first
  WEFT_FIELDS(VersionSpread, even, weft, protocol, agents, findings)
};

VersionSpread version_spread(const std::vector<wire::InstanceRecord>& records);

}  // namespace weft::cli
