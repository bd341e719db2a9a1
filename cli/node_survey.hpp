// The nodes of the mesh, all asked at once what runs on their hosts.
#pragma once
#include <vector>

#include "cli/session.hpp"
#include "node/node.hpp"

namespace weft::cli {

/// One host: what its node answered, or why it did not.
struct HostReport {
  wire::InstanceRecord node;
  Result<node::PsReply> reply{node::PsReply{}};
};

/// By host. Takes at most the timeout of the command.
Task<std::vector<HostReport>> ask_nodes(Session& session);

}  // namespace weft::cli
