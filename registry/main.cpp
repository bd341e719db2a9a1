// weft-registry: the registry of this host.
#include <fstream>

#include "registry/registry.hpp"
#include "weft/net/net.hpp"
#include "weft/program/program.hpp"

namespace {

using namespace weft;

constexpr std::uint16_t kAdminPort = 7410;
constexpr Duration kStopBudget = 1s;

/// Empty where /proc is not there.
std::string boot_id() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

registry::Options options_from(program::Program& program) {
  const config::Config& config = program.config();
  registry::Options options;
  options.peer = peer::options_from(config, program.agent(), program.version());
  options.peer.agent = "registry";  // agents call it by this name, whatever --name says
  options.peer.slot = "registry@" + options.peer.host;
  options.peer.tracer = &program.tracer();
  options.peer.call_port = config.get<std::uint16_t>("registry.port");
  options.peer.publish_port = config.get<std::uint16_t>("registry.publish_port");
  options.peer.instance = Ulid::make(program.loop().clock().wall(), program.random());
  options.peers = config.get<std::vector<std::string>>("registry.peers");
  options.lease = config.get<Duration>("registry.lease");
  options.instances_max = config.get<std::size_t>("registry.instances_max");
  if (!program.environment().empty()) options.tags["env"] = program.environment();
  options.admin = program.admin_address();
  options.config_hash = config.hash();
  options.boot = boot_id();
  return options;
}

registry::Registry::OpenStore open_store(const config::Config& config) {
  if (config.get<std::string>("registry.store.kind") == "memory")
    return [] { return store::Opened{store::open_memory(), {}}; };
  const auto file = config.get<std::string>("state.directory") + "/registry.db";
  const auto durability = config.get<std::string>("registry.store.durability") == "fsync" ? store::Durability::fsync
                                                                                          : store::Durability::os;
  return [file, durability] { return store::open_sqlite(file, durability); };
}

int fail(program::Program& program, const char* what, const char* keys, const Error& error) {
  program.log().error(what, error, {{"keys", keys}});
  return program::exit_code_of(error);
}

}  // namespace

int main(int argc, char** argv) {
  auto started = program::Program::start(argc, argv,
                                         {"registry",
                                          WEFT_VERSION,
                                          "who is in the mesh, where, and how healthy",
                                          {},
                                          "admin: {port: " + std::to_string(kAdminPort) + "}"});
  if (const int* code = std::get_if<int>(&started)) return *code;
  program::Program& program = *std::get<0>(started);
  auto admin = program.open_admin();
  if (!admin) return fail(program, "the admin door cannot be opened", "admin.bind, admin.port", admin.error());

  net::Context context;
  const registry::Options options = options_from(program);
  program.log().set_instance(options.peer.instance.to_string());
  registry::Registry registry(program.loop(), peer::secured(context, program.loop(), program.config()), options,
                              open_store(program.config()), program.random(), program.metrics(), program.log(),
                              program.health());
  (*admin)->get("/v1/agents", [&](const io::HttpRequest& request) { return registry.agents_page(request); });
  (*admin)->get("/v1/http_sd", [&](const io::HttpRequest& request) { return registry.http_sd_page(request); });
  if (auto begun = registry.start(); !begun)
    return fail(program, "the registry cannot start", "host.address, registry.port, registry.publish_port, security",
                begun.error());
  program.ready();
  return program.run(
      [&]() -> Task<void> {
        registry.stop();
        co_return;
      },
      kStopBudget);
}
