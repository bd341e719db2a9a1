#include "cli/fleet_config.hpp"

#include <unistd.h>

#include <filesystem>
#include <set>

#include "node/node.hpp"

namespace weft::cli {
namespace {

using config::Mistake;

/// Where `path` of the fleet file stands, or the nearest of what holds it.
config::Origin place_of(const config::Document& fleet, std::string path) {
  while (true) {
    if (const auto found = fleet.origins.find(path); found != fleet.origins.end()) return found->second;
    const auto end = path.find_last_of(".[");
    if (end == path.npos) return {"file", "", 0, 0};
    path.resize(end);
  }
}

/// "echo" of "weft-echo" and of "bin/weft-echo": what its schema is called.
std::string schema_name(const std::string& program) {
  const auto stem = std::filesystem::path(program).filename().string();
  return stem.starts_with("weft-") ? stem.substr(5) : stem;
}

class FleetConfig {
 public:
  FleetConfig(const config::Document& document, const node::Fleet& fleet, config::LoadOptions options)
      : document_(document), fleet_(fleet), options_(std::move(options)) {
    if (options_.environment.empty()) options_.environment = fleet.environment;
  }

  void check(const std::string& only, std::vector<Mistake>& mistakes) {
    for (const auto& host : fleet_.hosts) {
      if (!only.empty() && host.name != only) continue;
      for (const auto& own : node::kServices) load(host.name, std::string(own.name), "", {}, mistakes);
      for (const auto* agent : fleet_.placed_on(host.name))
        load(host.name, agent->name, schema_name(agent->program), agent->config, mistakes);
    }
  }

 private:
  void load(const std::string& host, const std::string& agent, const std::string& program,
            const std::map<std::string, Value>& section, std::vector<Mistake>& mistakes) {
    auto options = options_;
    options.host = host;
    options.agent = agent;
    if (agent != program) options.agent_schema = config::program_schema(options.directory, program);
    for (const auto& [key, value] : section) options.sets.push_back("agent." + key + "=" + to_json(value));
    for (auto& mistake : config::load(options).mistakes()) {
      if (mistake.origin.layer == "command line" && in_section(mistake.path, section))
        mistake.origin = place_of(document_, "agents." + agent + ".config" + mistake.path.substr(5));
      if (told_.insert(mistake.describe()).second) mistakes.push_back(std::move(mistake));
    }
  }
  static bool in_section(const std::string& path, const std::map<std::string, Value>& section) {
    if (!path.starts_with("agent.")) return false;
    return section.contains(path.substr(6, path.find_first_of(".[", 6) - 6));
  }

  const config::Document& document_;
  const node::Fleet& fleet_;
  config::LoadOptions options_;
  std::set<std::string> told_;
};

}  // namespace

std::vector<Mistake> check_fleet_config(const std::string& file, config::LoadOptions options, const std::string& host) {
  auto read = node::read_fleet(file);
  const auto document = config::load_document(file, "fleet").document;
  FleetConfig(document, read.fleet, std::move(options)).check(host, read.mistakes);
  for (const auto& one : read.fleet.hosts) {
    if (host.empty() || one.name == host) node::check_programs(file, read.fleet, one.name, read.mistakes);
  }
  return std::move(read.mistakes);
}

std::vector<std::pair<std::string, std::string>> config_variables() {
  std::vector<std::pair<std::string, std::string>> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view variable = *entry;
    const auto equals = variable.find('=');
    if (variable.starts_with("WEFT_")) out.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return out;
}

}  // namespace weft::cli
