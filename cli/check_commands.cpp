// weft check: questions with an exit code, as monitoring asks them: 0 good, 1 warning, 2 critical, 3 unknown.
#include "cli/session.hpp"
#include "cli/version_spread.hpp"

namespace weft::cli {

namespace {

constexpr int kWarning = 1, kCritical = 2, kUnknown = 3;

/// The verdict first, for those who read one line.
void print_spread(const VersionSpread& spread, std::size_t instances, bool quiet) {
  for (const auto& finding : spread.findings) print_line(finding.severity + ": " + finding.text);
  if (spread.even) print_line("even: " + std::to_string(instances) + " instances");
  if (quiet) return;
  Table table({"WHAT", "VERSION", "COUNT", "WHO"});
  const auto add = [&table](const std::string& what, const std::vector<VersionHolders>& versions) {
    for (const auto& one : versions)
      table.add(
          {what, printable(one.version), std::to_string(one.holders.size()), printable(joined(one.holders, " "))});
  };
  add("weft", spread.weft);
  add("protocol", spread.protocol);
  for (const auto& one : spread.agents) add("agent " + printable(one.agent), one.versions);
  table.print();
}

Task<int> check_versions(Session& session) {
  std::vector<wire::InstanceRecord> records;
  for (const auto* record : session.mesh().directory().all()) records.push_back(*record);
  const VersionSpread spread = version_spread(records);
  if (session.global().json)
    print_json(to_value(spread));
  else
    print_spread(spread, records.size(), session.global().quiet);
  if (spread.even) co_return kDone;
  co_return spread.findings.front().severity == "critical" ? kCritical : kWarning;
}

Task<int> nobody_answers(Session& session) {
  (void)fail(session.global(),
             Error(codes::no_registry, "no registry answered within " + to_text(session.global().timeout),
                   "is the mesh running? weft up starts it"));
  co_return kUnknown;
}

int run_check(const Global& global, std::function<Task<int>(Session&)> work) {
  if (auto context = find_mesh(global); !context) {
    (void)fail(global, context.error());
    return kUnknown;
  }
  return run_in_mesh(global, std::move(work), Session::Role::onlooker, nobody_answers);
}

}  // namespace

std::vector<Verb> check_verbs() {
  return {{.name = "check",
           .summary = "Questions for monitoring: exit code 0 good, 1 warning, 2 critical, 3 unknown",
           .verbs = {{.name = "versions",
                      .summary = "Are the releases of Weft, the protocol and each agent's version even in the mesh?",
                      .examples = {"weft check versions", "weft check versions --json", "weft check versions --quiet"},
                      .run = [](const Global& global) { return run_check(global, check_versions); }}}}};
}

}  // namespace weft::cli
