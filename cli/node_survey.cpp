#include "cli/node_survey.hpp"

#include <algorithm>
#include <set>

namespace weft::cli {
namespace {

Task<void> ask_report(Session& session, HostReport& report, Duration timeout, std::size_t& left,
                      Completion<bool>::Completer& done) {
  calls::CallOptions options;
  options.timeout = timeout;
  options.instance = report.node.instance.to_string();
  auto answer = co_await session.mesh().call("node.ps", wire::Payload::of(Value()), options);
  report.reply = answer ? answer->as<node::PsReply>() : Result<node::PsReply>(answer.error());
  if (--left > 0) co_return;
  // In a later turn, because the waiting coroutine destroys the scope that this one runs in.
  session.loop().post([completer = std::move(done)]() mutable { completer.complete(true); });
}

}  // namespace

Task<std::vector<HostReport>> ask_nodes(Session& session, Duration longest) {
  std::vector<HostReport> reports;
  for (const auto* record : session.mesh().directory().instances("node")) reports.push_back({*record});
  std::sort(reports.begin(), reports.end(), [](const auto& a, const auto& b) { return a.node.host < b.node.host; });
  std::size_t left = reports.size();
  Completion<bool> all;
  auto done = all.completer();
  const Duration timeout = std::min(session.global().timeout, longest);
  TaskScope asking;
  for (auto& report : reports) asking.spawn(ask_report(session, report, timeout, left, done));
  if (left > 0) co_await all;
  co_return reports;
}

std::vector<std::string> absent_hosts(const std::vector<HostReport>& reports) {
  std::set<std::string> absent;
  for (const auto& report : reports) {
    if (report.reply) absent.insert(report.reply->fleet.begin(), report.reply->fleet.end());
  }
  for (const auto& report : reports) absent.erase(report.node.host);
  return {absent.begin(), absent.end()};
}

void note_absent(const Global& global, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return;
  note(global, "not in the mesh, but in the fleet file: " + joined(hosts, ", ") +
                   " (the node is not started, still starts, or is cut off)");
}

}  // namespace weft::cli
