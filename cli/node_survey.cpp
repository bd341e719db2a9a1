#include "cli/node_survey.hpp"

#include <algorithm>

namespace weft::cli {
namespace {

Task<void> ask_report(Session& session, HostReport& report, std::size_t& left, Completion<bool>::Completer& done) {
  calls::CallOptions options;
  options.timeout = session.global().timeout;
  options.instance = report.node.instance.to_string();
  auto answer = co_await session.mesh().call("node.ps", wire::Payload::of(Value()), options);
  report.reply = answer ? answer->as<node::PsReply>() : Result<node::PsReply>(answer.error());
  if (--left > 0) co_return;
  // In a later turn, because the waiting coroutine destroys the scope that this one runs in.
  session.loop().post([completer = std::move(done)]() mutable { completer.complete(true); });
}

}  // namespace

Task<std::vector<HostReport>> ask_nodes(Session& session) {
  std::vector<HostReport> reports;
  for (const auto* record : session.mesh().directory().instances("node")) reports.push_back({*record});
  std::sort(reports.begin(), reports.end(), [](const auto& a, const auto& b) { return a.node.host < b.node.host; });
  std::size_t left = reports.size();
  Completion<bool> all;
  auto done = all.completer();
  TaskScope asking;
  for (auto& report : reports) asking.spawn(ask_report(session, report, left, done));
  if (left > 0) co_await all;
  co_return reports;
}

}  // namespace weft::cli
