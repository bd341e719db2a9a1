// weft-errorbus: the error bus of one host. Joins the program, the mesh and the bus.
#include "errorbus/errorbus.hpp"
#include "weft/mesh/mesh.hpp"
#include "weft/net/net.hpp"
#include "weft/program/program.hpp"

namespace {

using namespace weft;

constexpr Duration kDrain = 5s;

errorbus::Options options_from(const config::Config& config, const std::string& version) {
  errorbus::Options options;
  options.host = config.get<std::string>("host.name");
  options.version = version;
  options.hub = config.get<std::string>("errorbus.hub");
  options.forward = config.get<Severity>("errorbus.forward");
  options.journal.file = config.get<std::string>("state.directory") + "/errorbus.db";
  options.journal.fsync = config.get<std::string>("errorbus.journal.durability") == "fsync";
  options.journal.events_max = config.get<std::uint64_t>("errorbus.journal.events_max");
  options.journal.pending_max = config.get<std::uint64_t>("errorbus.journal.pending_max");
  options.journal.bytes_max = config.get<std::uint64_t>("errorbus.journal.bytes_max");
  options.journal.issues_max = config.get<std::uint64_t>("errorbus.journal.issues_max");
  return options;
}

Task<void> drain(mesh::Mesh& mesh, errorbus::ErrorBus& bus) {
  bus.close();
  co_await mesh.drain(kDrain);
}

int run(program::Program& program) {
  auto options = mesh::options_from(program.config(), program.agent(), program.version());
  options.peer.call_port = program.config().get<std::uint16_t>("errorbus.port");
  options.peer.tracer = &program.tracer();
  options.report_errors = false;  // its own errors go straight into its journal
  auto fail = [&](const Error& error) {
    program.log().error("the error bus cannot start", error);
    return program::exit_code_of(error);
  };
  if (auto admin = program.open_admin(); !admin) return fail(admin.error());
  options.admin = program.admin_address();

  net::Context context;
  mesh::Mesh mesh(program.loop(), peer::secured(context, program.loop(), program.config()), options, program.metrics(),
                  program.log(), program.health());
  errorbus::ErrorBus bus(program.loop(), mesh.peer(), options_from(program.config(), program.version()),
                         program.metrics(), program.log(), program.health());
  bus.on_journal = [&mesh](const std::string& error) {
    mesh.set_health(error.empty() ? wire::HealthState::passing : wire::HealthState::critical, error);
  };
  bus.start();
  if (auto started = mesh.start(); !started) return fail(started.error());
  mesh.on_fenced([&program] { program.quit(program::exit_code::temporary); });
  program.on_info([&bus] { return to_value(bus.stats()); });
  program.ready();
  return program.run([&] { return drain(mesh, bus); }, kDrain);
}

}  // namespace

int main(int argc, char** argv) {
  program::About about;
  about.agent = "errorbus";
  about.version = WEFT_VERSION;
  about.summary = "collects, groups and forwards the errors of one host";
  about.config_defaults = "admin: {port: 7420}";
  auto started = program::Program::start(argc, argv, std::move(about));
  if (const int* exit_code = std::get_if<int>(&started)) return *exit_code;
  return run(*std::get<std::unique_ptr<program::Program>>(started));
}
