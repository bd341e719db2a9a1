#include "weft/agent/agent.hpp"

#include <cstdlib>

#include "weft/agent/hosted.hpp"
#include "weft/base/semver.hpp"

namespace weft {
namespace {

constexpr Duration kDrainBudget = 4s;

Task<void> start_up(program::Program& program, mesh::Mesh& mesh) {
  for (;;) {  // an agent without its registry is alive but not ready
    if (auto ready = co_await mesh.ready(1h); ready) break;
  }
  program.ready();
}

}  // namespace

void Agent::report(Severity severity, std::string code, std::string message, std::map<std::string, Value> values,
                   std::string category) {
  ErrorEvent event;
  event.severity = severity;
  event.code = std::move(code);
  event.message = std::move(message);
  event.values = std::move(values);
  event.category = std::move(category);
  report(std::move(event));
}

int run_agent(int argc, char** argv, AgentInfo info, std::function<std::shared_ptr<void>(Agent&)> setup) {
  auto started = program::Program::start(
      argc, argv, {info.name, info.version, info.summary, info.config_schema, info.config_defaults});
  if (const int* code = std::get_if<int>(&started)) return *code;
  program::Program& program = *std::get<0>(started);
  auto fail = [&](const char* what, const Error& error) {
    program.log().error(what, error);
    return program::exit_code_of(error);
  };
  if (!is_semver(info.version)) {
    return fail("the agent cannot start",
                Error(codes::bad_value, "agent '" + info.name + "': AgentInfo::version is '" + info.version +
                                            "': wanted a semantic version such as 1.4.0 or 2.0.0-rc.1"));
  }
  if (info.loop_bound && program.config().get<std::int64_t>("actors.workers") > 0) {
    return fail("the agent cannot start",
                Error(codes::bad_config, "agent '" + info.name + "' works on its loop only: actors.workers must be 0"));
  }
  if (auto admin = program.open_admin(); !admin) return fail("the admin door cannot be opened", admin.error());

  Hosted agent(program, info);
  agent.mesh().on_fenced([&program] { program.quit(program::exit_code::temporary); });
  std::shared_ptr<void> work;
  try {
    work = setup(agent);
  } catch (const std::exception& thrown) {
    (void)agent.stop_actors();
    return fail("the agent cannot start", Error(codes::start_failed, thrown.what()));
  }
  if (auto begun = agent.mesh().start(); !begun) {
    (void)agent.stop_actors();
    return fail("the mesh cannot be joined", begun.error());
  }
  TaskScope starting;
  starting.spawn(start_up(program, agent.mesh()));
  const int code = program.run([&agent] { return agent.drain(kDrainBudget); }, kDrainBudget + 500ms);
  // A handler that does not return still uses the agent's work: the process must end without ending that.
  if (!agent.stop_actors()) std::_Exit(code);
  return code;
}

}  // namespace weft
