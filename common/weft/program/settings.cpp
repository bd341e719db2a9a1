#include "weft/program/settings.hpp"

#include <unistd.h>

#include <array>

namespace weft::program {
namespace {

/// Up to the first dot; so that hosts/<host>.yaml is found without --host.
std::string own_host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  const std::string_view text = name.data();
  const auto host = text.substr(0, text.find('.'));
  return check_name("host", host) ? std::string(host) : std::string();
}

}  // namespace

std::map<std::string, std::string> variables(std::string_view prefix) {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (text.starts_with(prefix) && equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

config::LoadOptions load_options(const Flags& flags, const About& about) {
  config::LoadOptions out;
  out.directory = config::find_directory(flags.config_dir);
  out.environment = flags.environment;
  out.host = flags.host.empty() ? own_host_name() : flags.host;
  out.agent = flags.name.empty() ? about.agent : flags.name;
  for (auto& [name, value] : variables("WEFT_")) out.variables.emplace_back(name, std::move(value));
  if (!flags.log_level.empty()) out.sets.push_back("log.level=" + flags.log_level);
  if (!flags.log_format.empty()) out.sets.push_back("log.format=" + flags.log_format);
  out.sets.insert(out.sets.end(), flags.sets.begin(), flags.sets.end());
  out.agent_schema = about.config_schema;
  // Under another name the section keeps the keys and defaults of the program.
  if (out.agent_schema.empty() && out.agent != about.agent)
    out.agent_schema = config::program_schema(out.directory, about.agent);
  out.defaults = about.config_defaults;
  return out;
}

observe::LogOptions log_options(const config::Config& config, const std::string& agent, const std::string& version) {
  using Format = observe::LogOptions::Format;
  observe::LogOptions out;
  const auto format = config.get<std::string>("log.format");
  out.level = config.get<observe::Level>("log.level");
  out.format = format == "json" ? Format::json : format == "text" ? Format::text : Format::automatic;
  out.agent = agent;
  out.host = config.get<std::string>("host.name");
  out.version = version;
  return out;
}

}  // namespace weft::program
