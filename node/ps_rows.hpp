// What the supervisor knows, as node.ps tells it.
#pragma once
#include "node/messages.hpp"
#include "node/supervisor.hpp"

namespace weft::node {

ProcessRow row_of(const Child& child, const Clock& clock);
PsReply ps_reply(const Supervisor& supervisor, const std::string& mesh, const std::string& host, const Clock& clock);

}  // namespace weft::node
