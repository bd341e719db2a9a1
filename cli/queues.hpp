// What the verbs about work queues share: the processes that keep queues, and asking each of them.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "weft/queue/messages.hpp"

namespace weft::cli {

/// Every live process that has queues, by host and agent.
inline std::vector<mesh::InstanceRecord> keepers(Session& session) {
  std::vector<mesh::InstanceRecord> out;
  for (const auto* record : session.mesh().directory().all()) {
    const auto& methods = record->methods;
    if (std::any_of(methods.begin(), methods.end(), [](const auto& method) { return method.name == "_queues"; }))
      out.push_back(*record);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.host, a.agent, a.instance) < std::tie(b.host, b.agent, b.instance);
  });
  return out;
}

/// `method` of that process. The error names it.
template <class Reply, class Request>
Task<Result<Reply>> ask_keeper(Session& session, const mesh::InstanceRecord& record, const char* method,
                               const Request& request) {
  mesh::CallOptions options(session.global().timeout);
  options.instance = record.instance.to_string();
  const std::string target = record.agent + "." + method;
  mesh::Payload payload = mesh::Payload::of(request);
  auto answer = co_await session.mesh().call(target, std::move(payload), options);
  if (answer) co_return answer->template as<Reply>();
  Error error = answer.error();
  error.message = record.agent + "@" + record.host + ": " + error.message;
  co_return error;
}

}  // namespace weft::cli
