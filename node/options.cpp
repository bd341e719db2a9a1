#include "node/options.hpp"

#include <cstdlib>

namespace weft::node {
namespace {

struct Flag {
  std::string_view name;
  std::string NodeOptions::*text = nullptr;
  bool NodeOptions::*on = nullptr;
};
const Flag kFlags[] = {{"--fleet", &NodeOptions::fleet},
                       {"--host", &NodeOptions::host},
                       {"--state", &NodeOptions::state},
                       {"--run", &NodeOptions::run},
                       {"--env", &NodeOptions::environment},
                       {"--config-dir", &NodeOptions::config_directory},
                       {"--progress", nullptr, &NodeOptions::progress},
                       {"--detach", nullptr, &NodeOptions::detach},
                       {"--json", nullptr, &NodeOptions::json},
                       {"--help", nullptr, &NodeOptions::help},
                       {"-h", nullptr, &NodeOptions::help}};

const Flag* find_flag(std::string_view name) {
  for (const auto& flag : kFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

}  // namespace

Result<NodeOptions> parse_options(const std::vector<std::string>& arguments) {
  NodeOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto equals = arguments[i].find('=');
    const auto name = arguments[i].substr(0, equals);
    const Flag* flag = find_flag(name);
    if (flag && flag->on) {
      options.*(flag->on) = true;
      continue;
    }
    if (!flag && name != "--address") {
      options.rest.push_back(arguments[i]);
      continue;
    }
    if (equals == std::string::npos && i + 1 == arguments.size())
      return Error(codes::bad_usage, name + " wants a value");
    const auto value = equals == std::string::npos ? arguments[++i] : arguments[i].substr(equals + 1);
    if (flag) {
      options.*(flag->text) = value;
    } else if (auto added = add_address(options.addresses, value); !added) {
      return added.error();
    }
  }
  return options;
}

Result<std::string> choose_host(const Fleet& fleet, const std::string& said, const std::string& machine) {
  const char* variable = std::getenv("WEFT_HOST");
  const std::string wanted = !said.empty() ? said : variable ? variable : "";
  if (wanted.empty() && fleet.hosts.size() == 1) return fleet.hosts.front().name;
  const std::string& name = wanted.empty() ? machine : wanted;
  if (fleet.host(name)) return name;
  std::vector<std::string_view> known;
  std::string all;
  for (const auto& host : fleet.hosts) {
    known.push_back(host.name);
    all += (all.empty() ? "" : ", ") + host.name;
  }
  return Error(codes::bad_usage, "the fleet has no host '" + name + "'" + did_you_mean(name, known),
               "--host names one of: " + all);
}

}  // namespace weft::node
