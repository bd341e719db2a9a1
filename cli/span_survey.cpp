#include "cli/span_survey.hpp"

#include "cli/survey.hpp"

namespace weft::cli {

namespace {

constexpr Duration kAskTimeout = 1s;

}  // namespace

void Collected::add(const std::string& process, const peer::SpansReply& reply) {
  more += reply.more;
  for (const auto& span : reply.spans) spans.push_back({process, span});
}

Task<Collected> ask_spans(Session& session, const peer::SpansRequest& request) {
  Collected out;
  if (auto own = peer::spans_of(session.tracer(), session.loop().clock(), request)) out.add("cli", *own);
  auto everybody = find_instances(session.mesh().directory(), Who());
  const auto answers = co_await survey(session, std::move(*everybody), "_spans", to_value(request), kAskTimeout);
  for (const auto& one : answers) {
    const std::string process = one.record.agent + "@" + one.record.host;
    const auto reply = read_as<peer::SpansReply>(one.answer);
    if (reply) {
      out.add(process, *reply);
    } else if (!reply.error().is(codes::no_such_method)) {  // other clients need not have it
      out.silent.insert(process);
    }
  }
  co_return out;
}

void tell_gaps(const Global& global, const Collected& found) {
  for (const auto& process : found.silent) note(global, process + " did not tell its spans");
  if (found.more > 0) note(global, std::to_string(found.more) + " older spans are left out");
}

}  // namespace weft::cli
