#include "weft/mesh/builtin_methods.hpp"

#include "weft/wire/inspect.hpp"

namespace weft::mesh {

Result<std::string_view> agent_of(const std::string& target) {
  if (const auto parts = split_target(target); parts.complete()) return parts.agent;
  return Error(codes::bad_name, "'" + target.substr(0, kNameMax) + "' is no target such as agent.method");
}

void serve_views(Peer& peer, const Directory& directory, Steering& steering) {
  peer::serve<LedgerRequest>(
      peer, {"_ledger", "what it published, and what became of what others published for it, for weft ledger"},
      [&peer](const LedgerRequest& request) { return Result<LedgerReply>(peer.ledger(request)); }, Unknown::refuse);
  peer::serve<wire::WhyRequest>(
      peer, {"_why", "what a call from here would meet, for weft why"},
      [&steering](const wire::WhyRequest& request) -> Result<wire::CallExplanation> {
        if (auto agent = agent_of(request.target); !agent) return agent.error();
        CallOptions as_asked;
        as_asked.host = request.host;
        return steering.explain(request.target, as_asked);
      },
      Unknown::refuse);
  peer::serve<Value>(peer,
                     {"_peers", "the records that this process holds, for weft list while every registry is away"},
                     [&directory](const Value&) {
                       wire::PeersReply reply;
                       for (const auto* record : directory.all()) reply.records.push_back(*record);
                       return Result<wire::PeersReply>(std::move(reply));
                     });
}

}  // namespace weft::mesh
