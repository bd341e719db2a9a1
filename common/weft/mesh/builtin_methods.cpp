#include "weft/mesh/builtin_methods.hpp"

#include "weft/base/request.hpp"
#include "weft/wire/inspect.hpp"

namespace weft::mesh {
namespace {

template <class Request>
Result<Request> request_in(const Call& call) {
  return request_of<Request>(call.payload().bytes.empty() ? Value() : call.payload().value().value_or(Value()));
}

template <class Make>
void serve(Peer& peer, const char* name, const char* summary, Make make) {
  MethodInfo info;
  info.name = name;
  info.summary = summary;
  peer.serve(std::move(info), [make](Call& call) -> Task<Result<Payload>> { co_return make(call); });
}

}  // namespace

Result<std::string_view> agent_of(const std::string& target) {
  if (const auto parts = split_target(target); parts.complete()) return parts.agent;
  return Error(codes::bad_name, "'" + target.substr(0, kNameMax) + "' is no target such as agent.method");
}

void serve_views(Peer& peer, const Directory& directory, Steering& steering) {
  serve(peer, "_ledger", "what it published, and what became of what others published for it, for weft ledger",
        [&peer](const Call& call) -> Result<Payload> {
          auto request = request_in<LedgerRequest>(call);
          if (!request) return request.error();
          return Payload::of(peer.ledger(*request));
        });
  serve(peer, "_why", "what a call from here would meet, for weft why",
        [&steering](const Call& call) -> Result<Payload> {
          auto request = request_in<wire::WhyRequest>(call);
          if (!request) return request.error();
          if (auto agent = agent_of(request->target); !agent) return agent.error();
          CallOptions as_asked;
          as_asked.host = request->host;
          return Payload::of(steering.explain(request->target, as_asked));
        });
  serve(peer, "_peers", "the records that this process holds, for weft list while every registry is away",
        [&directory](const Call&) -> Result<Payload> {
          wire::PeersReply reply;
          for (const auto* record : directory.all()) reply.records.push_back(*record);
          return Payload::of(reply);
        });
}

}  // namespace weft::mesh
