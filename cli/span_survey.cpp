#include "cli/span_survey.hpp"

namespace weft::cli {

namespace {

constexpr Duration kAskTimeout = 1s;

Task<void> ask_one(Session& session, const mesh::InstanceRecord record, const mesh::SpansRequest& request,
                   Collected& into) {
  mesh::CallOptions options(std::min(kAskTimeout, session.global().timeout));
  options.instance = record.instance.to_string();
  const std::string process = record.agent + "@" + record.host, target = record.agent + "._spans";
  auto answer = co_await session.mesh().call(target, mesh::Payload::of(request), options);
  const auto reply = answer ? answer->as<mesh::SpansReply>() : Result<mesh::SpansReply>(answer.error());
  if (reply) {
    into.add(process, *reply);
  } else if (!reply.error().is(codes::no_such_method)) {  // other clients need not have it
    into.silent.insert(process);
  }
}

}  // namespace

void Collected::add(const std::string& process, const mesh::SpansReply& reply) {
  more += reply.more;
  for (const auto& span : reply.spans) spans.push_back({process, span});
}

Task<Collected> ask_spans(Session& session, const mesh::SpansRequest& request) {
  Collected out;
  if (auto own = mesh::spans_of(session.tracer(), session.loop().clock(), request)) out.add("cli", *own);
  std::vector<mesh::InstanceRecord> records;
  for (const auto* record : session.mesh().directory().all()) {
    if (!record->call_endpoint.empty()) records.push_back(*record);
  }
  std::size_t open = records.size();
  if (open == 0) co_return out;
  Completion<bool> done;
  auto completer = done.completer();
  TaskScope asking;
  for (const auto& record : records) {
    asking.spawn(ask_one(session, record, request, out), [&](const std::exception_ptr&) {
      if (--open == 0) session.loop().post([&] { completer.complete(true); });
    });
  }
  co_await done;
  co_return out;
}

void tell_gaps(const Global& global, const Collected& found) {
  for (const auto& process : found.silent) note(global, process + " did not tell its spans");
  if (found.more > 0) note(global, std::to_string(found.more) + " older spans are left out");
}

}  // namespace weft::cli
