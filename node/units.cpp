#include "node/units.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "node/fleet_check.hpp"

namespace weft::node {
namespace {

namespace fs = std::filesystem;
using Variables = std::vector<std::pair<std::string, std::string>>;

std::string list_of(const std::vector<std::string>& items) { return to_json(to_value(items)); }

/// Own host's first.
std::vector<std::string> registries(const Fleet& fleet, const HostSettings& settings, bool own) {
  std::vector<std::string> found;
  for (const auto& host : fleet.hosts) {
    const auto at = endpoint(host.address, settings.registry_port);
    if (host.name != settings.host) {
      found.push_back(at);
    } else if (own) {
      found.insert(found.begin(), at);
    }
  }
  return found;
}

/// Not for children: what was said to the node alone, and by whom it is supervised.
bool passes_on(std::string_view variable) {
  for (const auto* name :
       {"NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_FDS=", "LISTEN_PID=", "WEFT_HOST=", "WEFT_SLOT=",
        "WEFT_CRASH_FILE=", "WEFT_LOG_FILE=", "WEFT_CLAIM=", "WEFT_ENV=", "WEFT_CONFIG_DIR=", "WEFT__ADMIN__PORT="}) {
    if (variable.starts_with(name)) return false;
  }
  return true;
}

std::string fingerprint(const Command& command, const Variables& own) {
  std::string all = command.program;
  std::error_code failure;  // a new build of the program is another program
  all += '\0' + std::to_string(fs::last_write_time(command.program, failure).time_since_epoch().count());
  for (const auto& arg : command.args) all += '\0' + arg;
  all += '\0' + command.cwd;
  for (const auto& [name, value] : own) all += '\0' + name + '=' + value;
  return std::to_string(std::hash<std::string>{}(all));
}

std::vector<std::string> environment(const std::vector<std::string>& inherited, const Variables& own) {
  std::set<std::string, std::less<>> set_here;
  for (const auto& [name, value] : own) set_here.insert(name);
  std::vector<std::string> out;
  for (const auto& variable : inherited) {
    if (passes_on(variable) && !set_here.contains(variable.substr(0, variable.find('=')))) out.push_back(variable);
  }
  for (const auto& [name, value] : own) out.push_back(name + "=" + value);
  return out;
}

/// True where `--name` is not needed for the program to call itself so.
bool named_after(const std::string& program, const std::string& agent) {
  const auto stem = fs::path(program).filename().string();
  return stem == agent || stem == "weft-" + agent;
}

class Builder {
 public:
  Builder(const Fleet& fleet, const HostSettings& settings, const Places& places)
      : settings_(settings), places_(places), shared_(host_variables(fleet, settings, places)) {}

  void infrastructure(const std::string& name, std::vector<std::string> needs) {
    FleetAgent entry;
    entry.name = name;
    entry.program = "weft-" + name;
    entry.needs = std::move(needs);
    auto& placed = add(entry, true);
    placed.infrastructure = true;
    placed.unit.restart.essential = true;
  }
  void agent(const FleetAgent& entry, std::vector<std::string> needs) {
    auto& placed = add(entry);
    placed.unit.needs = std::move(needs);
    const auto first = infrastructure_names();
    placed.unit.needs.insert(placed.unit.needs.begin(), first.begin(), first.end());
  }
  Result<std::vector<PlacedUnit>> finish() {
    if (!missing_.empty()) return Error(codes::start_failed, missing_, "is it built, and is its name right?");
    return std::move(placed_);
  }

 private:
  PlacedUnit& add(const FleetAgent& entry, bool infrastructure = false) {
    PlacedUnit placed;
    Unit& unit = placed.unit;
    unit.name = entry.name;
    unit.needs = entry.needs;
    unit.restart.kind = entry.restart;
    unit.restart.restarts_max = entry.restarts_max;
    unit.restart.window = entry.restarts_window;
    unit.start_timeout = entry.start_timeout;
    unit.stop_timeout = entry.stop_timeout;
    auto program = find_program(entry.program, settings_.fleet_folder);
    if (!program) missing(entry, program.error().message);
    unit.command.program = program.value_or("");
    unit.command.args = arguments(entry);
    if (!infrastructure) unit.command.cwd = working_folder(entry);
    unit.command.log = places_.log_of(entry.name);
    unit.crash_file = places_.crash_file(entry.name);
    auto own = shared_;
    own.emplace_back("WEFT_SLOT", entry.name + "@" + settings_.host);
    own.emplace_back("NOTIFY_SOCKET", places_.notify_socket());
    own.emplace_back("WEFT_CRASH_FILE", unit.crash_file);
    own.emplace_back("WEFT_LOG_FILE", unit.command.log);
    own.emplace_back("WATCHDOG_USEC",
                     std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(unit.watchdog).count()));
    own.insert(own.end(), entry.env.begin(), entry.env.end());
    unit.command.env = environment(settings_.inherited, own);
    placed.fingerprint = fingerprint(unit.command, own);
    placed_.push_back(std::move(placed));
    return placed_.back();
  }
  std::string working_folder(const FleetAgent& entry) {
    const auto folder = (fs::path(settings_.fleet_folder) / entry.cwd).lexically_normal().string();
    if (!entry.cwd.empty() && !fs::is_directory(folder)) missing(entry, "cwd: there is no folder '" + folder + "'");
    return folder;
  }
  void missing(const FleetAgent& entry, const std::string& what) {
    missing_ += (missing_.empty() ? "" : "; ") + entry.name + ": " + what;
  }
  static std::vector<std::string> arguments(const FleetAgent& entry) {
    std::vector<std::string> args = entry.args;
    if (!named_after(entry.program, entry.name)) args.insert(args.end(), {"--name", entry.name});
    for (const auto& [key, value] : entry.config)
      args.insert(args.end(), {"--set", "agent." + key + "=" + to_json(value)});
    return args;
  }

  const HostSettings& settings_;
  const Places& places_;
  Variables shared_;
  std::vector<PlacedUnit> placed_;
  std::string missing_;
};

}  // namespace

Variables host_variables(const Fleet& fleet, const HostSettings& settings, const Places& places) {
  const FleetHost& host = *fleet.host(settings.host);
  Variables out{{"WEFT_HOST", host.name},
                {"WEFT__MESH__NAME", to_json(fleet.mesh)},
                {"WEFT__HOST__ADDRESS", to_json(host.address)},
                {"WEFT__REGISTRY__ADDRESSES", list_of(registries(fleet, settings, true))},
                {"WEFT__REGISTRY__PEERS", list_of(registries(fleet, settings, false))},
                {"WEFT__ERRORBUS__ADDRESS", to_json(endpoint(host.address, settings.bus_port))},
                {"WEFT__ERRORBUS__HUB", to_json(host.hub ? "" : endpoint(fleet.hub().address, settings.bus_port))},
                {"WEFT__STATE__DIRECTORY", to_json(places.state)},
                {"WEFT__RUN__DIRECTORY", to_json(places.run)}};
  if (!settings.config_directory.empty()) out.emplace_back("WEFT_CONFIG_DIR", settings.config_directory);
  if (!settings.environment.empty()) out.emplace_back("WEFT_ENV", settings.environment);
  // Several hosts of one machine have addresses of their own in 127.0.0.0/8, so that they may have the same ports.
  if (host.address.starts_with("127.")) out.emplace_back("WEFT__ADMIN__BIND", "host");
  return out;
}

Result<std::vector<PlacedUnit>> units_of(const Fleet& fleet, const HostSettings& settings, const Places& places) {
  Builder builder(fleet, settings, places);
  std::vector<std::string> before;
  for (const auto& name : infrastructure_names()) {
    builder.infrastructure(name, before);
    before.push_back(name);
  }
  const auto graph = fleet.graph_of(settings.host);
  for (const auto& batch : batches(graph)) {
    for (const auto& name : batch) builder.agent(*fleet.agent(name), graph.at(name));
  }
  return builder.finish();
}

void check_programs(const std::string& file, const Fleet& fleet, const std::string& host,
                    std::vector<config::Mistake>& mistakes) {
  const auto folder = fs::absolute(file).parent_path().string();
  const auto document = config::load_document(file, "fleet").document;
  for (const auto* agent : fleet.placed_on(host)) {
    const auto path = "agents." + agent->name + ".program";
    const auto same = [&](const config::Mistake& other) { return other.path == path; };
    if (std::any_of(mistakes.begin(), mistakes.end(), same)) continue;  // of another host
    if (auto program = find_program(agent->program, folder); !program)
      mistakes.push_back({origin_of(document, path), path, program.error().message});
  }
}

std::vector<std::string> remote_needs(const Fleet& fleet, const std::string& host) {
  std::vector<std::string> out;
  for (const auto* agent : fleet.placed_on(host)) {
    for (const auto& need : agent->needs) {
      const auto& on = fleet.agent(need)->on;
      if (std::find(on.begin(), on.end(), host) != on.end()) continue;
      std::string where;
      for (const auto& other : on) where += (where.empty() ? "" : ", ") + other;
      out.push_back(agent->name + " needs " + need + ", which runs on " + where + ": not waited for");
    }
  }
  return out;
}

}  // namespace weft::node
