#include "node/prepare.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "weft/program/program.hpp"

namespace weft::node {
namespace {

namespace fs = std::filesystem;
namespace exit_code = program::exit_code;

int refuse(const Error& error, int code) {
  std::fprintf(stderr, "weft-node: %s\n", error.describe().c_str());
  return code;
}

int refuse(const NodeOptions& options, const std::vector<config::Mistake>& mistakes) {
  for (const auto& mistake : mistakes) std::fprintf(stderr, "%s\n", mistake.describe().c_str());
  std::fprintf(stderr, "weft-node: %s %s: %zu mistake%s, nothing was started (docs/errors/WEFT-5001.md)\n",
               std::string(codes::bad_fleet.id).c_str(), options.fleet.c_str(), mistakes.size(),
               mistakes.size() == 1 ? "" : "s");
  return exit_code::config;
}

std::string machine_name() {
  std::array<char, 256> name{};
  (void)::gethostname(name.data(), name.size() - 1);
  const std::string full = name.data();
  return full.substr(0, full.find('.'));
}

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** variable = environ; *variable; ++variable) out.emplace_back(*variable);
  return out;
}

/// The ports that the configuration gives registry and bus; mistakes in it are told later, by Program.
void read_ports(HostSettings& settings) {
  config::LoadOptions load;
  load.directory = settings.config_directory;
  load.environment = settings.environment;
  load.host = settings.host;
  load.agent = "node";
  for (const auto& variable : settings.inherited) {
    const auto equals = variable.find('=');
    if (variable.starts_with("WEFT__"))
      load.variables.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  const auto loaded = config::load(load);
  if (!loaded.ok()) return;
  const auto port = [&](const Service& service) {
    return loaded.config().get<std::uint16_t>(std::string(service.name) + ".port");
  };
  settings.registry_port = port(kRegistry);
  settings.bus_port = port(kErrorBus);
}

std::string environment_of(const NodeOptions& options, const Fleet& fleet) {
  const char* variable = std::getenv("WEFT_ENV");
  if (!options.environment.empty()) return options.environment;
  return variable && *variable ? variable : fleet.environment;
}

}  // namespace

std::variant<Prepared, int> prepare(NodeOptions options) {
  Prepared out;
  out.options = std::move(options);
  if (out.options.fleet.empty())
    return refuse(Error(codes::bad_usage, "--fleet FILE is missing: which agents shall run?"), exit_code::usage);
  auto read = read_fleet(out.options.fleet, out.options.addresses);
  if (!read.mistakes.empty()) return refuse(out.options, read.mistakes);
  out.fleet = std::move(read.fleet);
  auto host = choose_host(out.fleet, out.options.host, machine_name());
  if (!host) return refuse(host.error(), exit_code::usage);

  HostSettings& settings = out.settings;
  settings.host = *host;
  settings.environment = environment_of(out.options, out.fleet);
  settings.fleet_folder = fs::absolute(out.options.fleet).parent_path().string();
  const auto directory = config::find_directory(out.options.config_directory);
  settings.config_directory = directory.empty() ? "" : fs::absolute(directory).lexically_normal().string();
  settings.inherited = own_environment();
  read_ports(settings);
  out.places = places_of(out.fleet.mesh, *host, out.options.state, out.options.run);
  auto units = units_of(out.fleet, settings, out.places);
  if (!units) return refuse(units.error(), exit_code::config);
  out.units = std::move(*units);
  return out;
}

Context context_of(const Prepared& prepared, const std::string& http) {
  const auto& host = prepared.host();
  return {prepared.fleet.mesh,
          host.name,
          endpoint(host.address, prepared.settings.registry_port),
          http.empty() ? "" : "http://" + http,
          ::getpid(),
          prepared.places.state,
          prepared.places.run};
}

void enter_environment(const Prepared& prepared, std::uint64_t claim) {
  for (const auto& [name, value] : host_variables(prepared.fleet, prepared.settings, prepared.places))
    (void)::setenv(name.c_str(), value.c_str(), 1);
  (void)::setenv("WEFT_SLOT", ("node@" + prepared.settings.host).c_str(), 1);
  (void)::setenv("WEFT_CLAIM", std::to_string(claim).c_str(), 1);
  (void)::setenv("WEFT_CRASH_FILE", prepared.places.crash_file("node").c_str(), 1);
}

Result<void> port_free(const std::string& address, std::uint16_t port) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  if (const int failure = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found); failure != 0)
    return Error(codes::bad_address, "the address '" + address + "' of this host: " + ::gai_strerror(failure));
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int failure = ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
  ::close(fd);
  ::freeaddrinfo(found);
  if (failure == EADDRNOTAVAIL)
    return Error(codes::bad_address, address + " is not an address of this machine",
                 "correct it in the fleet file, or give the right one with --address HOST=ADDRESS");
  if (failure == EADDRINUSE)
    return Error(codes::port_taken, "port " + std::to_string(port) + " of " + address + " is taken by another program",
                 "ss -ltnp 'sport = :" + std::to_string(port) + "' shows which; weft down stops a mesh");
  if (failure != 0)
    return Error(codes::bad_address, address + ":" + std::to_string(port) + ": " + std::strerror(failure));
  return {};
}

}  // namespace weft::node
