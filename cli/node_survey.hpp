// The nodes of the mesh, all asked at once what runs on their hosts.
#pragma once
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "node/node.hpp"

namespace weft::cli {

/// One host: what its node answered, or why it did not.
struct HostReport {
  wire::InstanceRecord node;
  Result<node::PsReply> reply{node::PsReply{}};
};

/// By host. Takes at most the timeout of the command, and `longest`.
Task<std::vector<HostReport>> ask_nodes(Session& session, Duration longest = Duration::max());
/// For verbs that do not need the nodes, and must not wait for one that is silent.
inline constexpr Duration kAbsenceTimeout = std::chrono::milliseconds(500);
/// Hosts that the fleet files of the answering nodes name, and that have no node in the mesh; in order.
std::vector<std::string> absent_hosts(const std::vector<HostReport>& reports);
/// A notice that names them, if there are any.
void note_absent(const Global& global, const std::vector<std::string>& hosts);

}  // namespace weft::cli
