// Reads the layer files, and turns variables and --set into trees of one value each.
#include "weft/config/layers.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "weft/base/text.hpp"
#include "weft/config/built_in.hpp"
#include "weft/config/directory.hpp"
#include "weft/config/yaml.hpp"

namespace weft::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "WEFT__";

Path to_path(const std::vector<std::string>& keys) {
  Path path;
  for (const auto& key : keys) path.push_back({key, 0, false});
  return path;
}

Node wrap(Node value, const std::vector<std::string>& keys, const Place& place) {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    Node map;
    map.kind = Node::Kind::map;
    map.place = place;
    value.key = place;
    map.members.emplace(*key, std::move(value));
    value = std::move(map);
  }
  return value;
}

void relocate(Node& node, const Place& place) {
  node.place = place;
  if (node.key.source) node.key = place;
  for (auto& item : node.items) relocate(item, place);
  for (auto& [key, member] : node.members) relocate(member, place);
}

class Reader {
 public:
  Reader(const LoadOptions& options, const Schemas& schemas) : options_(options), schemas_(schemas) {}

  Layers run() {
    defaults();
    if (!options_.directory.empty()) files();
    for (const auto& [name, value] : options_.variables) variable(name, value);
    for (const auto& set : options_.sets) command_line(set);
    return std::move(layers_);
  }

 private:
  void mistake(Origin origin, std::string path, std::string text) {
    layers_.mistakes.push_back({std::move(origin), std::move(path), std::move(text)});
  }
  void add(Parsed parsed) {
    auto& mistakes = layers_.mistakes;
    std::move(parsed.mistakes.begin(), parsed.mistakes.end(), std::back_inserter(mistakes));
    drop_anchor_sections(parsed.root);
    if (parsed.root.is_map()) return layers_.trees.push_back(std::move(parsed.root));
    if (parsed.usable && !parsed.root.is_null())
      mistake(parsed.root.place.origin(), "", "wanted a map of sections, got " + got(to_value(parsed.root), true));
  }

  void defaults() {
    const Place place{std::make_shared<const Source>(Source{"default", ""})};
    layers_.trees.push_back(to_node(schemas_.core.defaults(), place));
    if (!schemas_.agent.empty())
      layers_.trees.push_back(wrap(to_node(schemas_.agent.defaults(), place), {"agent"}, place));
    layers_.trees.push_back(wrap(to_node(Value(host_name()), place), {"host", "name"}, place));
    if (options_.defaults.empty()) return;
    Parsed parsed = parse_yaml(options_.defaults, place.source);
    relocate(parsed.root, place);
    add(std::move(parsed));
  }
  std::string host_name() const {
    if (!options_.host.empty()) return options_.host;
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    const std::string_view text = name.data();
    return std::string(text.substr(0, text.find('.')));
  }

  void files() {
    const fs::path directory = options_.directory;
    std::error_code error;
    if (!fs::is_directory(directory, error))
      return mistake({"base", options_.directory, 0, 0}, "", "the configuration directory does not exist");
    file(directory / "base.yaml", "base");
    named(directory, "env", "env", "environment", options_.environment, true);
    named(directory, "hosts", "host", "host", options_.host, false);
    named(directory, "agents", "agent", "agent", options_.agent, false);
  }
  void named(const fs::path& directory, const std::string& folder, const std::string& layer, const std::string& what,
             const std::string& name, bool must_exist) {
    if (name.empty()) return;
    const fs::path path = directory / folder / (name + ".yaml");
    if (auto good = check_name(what, name); !good)
      return mistake({layer, (directory / folder).string(), 0, 0}, "", good.error().message);
    std::error_code error;
    if (must_exist && !fs::exists(path, error))
      return mistake({layer, path.string(), 0, 0}, "",
                     "does not exist" + nearest_file(directory / folder, name) + " (the " + what + " '" + name +
                         "' was asked for)");
    file(path, layer);
  }
  static std::string nearest_file(const fs::path& folder, const std::string& name) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      if (it->path().extension() == ".yaml") names.push_back(it->path().stem().string());
    return did_you_mean(name, {names.begin(), names.end()});
  }
  void file(const fs::path& path, const std::string& layer) {
    std::error_code error;
    if (fs::exists(path, error) || error) add(parse_yaml_file(path.string(), layer));
  }

  /// A value outside of files is text, typed as YAML; where the schema wants text, it need not be quoted.
  void value(const std::vector<std::string>& keys, const std::string& text, const std::string& layer,
             std::string file) {
    const Schema::At at = schemas_.at(to_path(keys));
    const Place place{std::make_shared<const Source>(Source{layer, std::move(file)})};
    Parsed parsed = parse_yaml(text, place.source);
    const bool read = parsed.usable && parsed.mistakes.empty();
    if (is_text_only(at) && (!read || !(parsed.root.kind == Node::Kind::scalar && parsed.root.scalar.is_string())))
      parsed = {to_node(Value(text), place), {}, true};
    for (auto& one : parsed.mistakes) mistake(place.origin(), to_string(to_path(keys)), std::move(one.text));
    if (!parsed.mistakes.empty()) return;
    relocate(parsed.root, place);
    layers_.trees.push_back(wrap(std::move(parsed.root), keys, place));
  }
  void variable(const std::string& name, const std::string& text) {
    if (!name.starts_with(kPrefix)) return unknown_variable(name);
    std::vector<std::string> keys{""};
    for (std::size_t i = kPrefix.size(); i < name.size(); ++i) {
      if (name.compare(i, 2, "__") == 0) {
        keys.emplace_back();
        ++i;
      } else {
        keys.back() += name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
      }
    }
    const Origin origin{"environment", name, 0, 0};
    if (std::find(keys.begin(), keys.end(), "") != keys.end())
      return mistake(origin, "", "wanted a name such as WEFT__LOG__LEVEL: keys joined by two underscores");
    value(keys, text, "environment", name);
  }
  void unknown_variable(const std::string& name) {
    static const std::vector<std::string_view> kKnown = {
        "WEFT_CONFIG_DIR", "WEFT_ENV",        "WEFT_HOST",     "WEFT_SLOT",    "WEFT_CLAIM",
        "WEFT_LOG_LEVEL",  "WEFT_LOG_FORMAT", "WEFT_REGISTRY", "WEFT_CONTEXT", "WEFT_PROGRAM_PATH"};
    if (!name.starts_with("WEFT_") || std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end()) return;
    layers_.warnings.push_back("unknown variable " + name + did_you_mean(name, kKnown));
  }
  void command_line(const std::string& set) {
    const auto equals = set.find('=');
    std::vector<std::string> keys;
    for (auto key : split(std::string_view(set).substr(0, equals), '.')) keys.emplace_back(key);
    if (equals == set.npos || std::find(keys.begin(), keys.end(), "") != keys.end())
      return mistake({"command line", "--set " + set.substr(0, equals), 0, 0}, "",
                     "wanted --set key=value, such as --set log.level=debug");
    const Schema::At at = schemas_.at(to_path(keys));
    const bool show = !at.empty() && !is_secret(at);  // a misspelt key may be that of a secret
    const std::string text = set.substr(equals + 1);
    value(keys, text, "command line", "--set " + set.substr(0, equals + 1) + (show ? text : std::string(kHidden)));
  }

  const LoadOptions& options_;
  const Schemas& schemas_;
  Layers layers_;
};

}  // namespace

Schema::At Schemas::at(const Path& path) const {
  if (agent.empty() || path.empty() || path[0].is_index || path[0].key != "agent") return core.at(path);
  return agent.at(Path(path.begin() + 1, path.end()));
}

namespace {

fs::path schema_file(const std::string& directory, const std::string& agent) {
  if (directory.empty()) return {};
  const fs::path path = fs::path(directory) / "schema" / "agents" / (agent + ".yaml");
  std::error_code error;
  return fs::exists(path, error) ? path : fs::path();
}

}  // namespace

Schemas read_schemas(const LoadOptions& options, std::vector<Mistake>& mistakes) {
  Schemas schemas{core_schema(), {}, {}};
  if (options.agent.empty() || !check_name("agent", options.agent)) return schemas;
  fs::path path = schema_file(options.directory, options.agent);
  if (path.empty() && options.agent_schema.empty()) path = schema_file(shipped_directory(), options.agent);
  if (!path.empty()) {
    Parsed parsed = parse_yaml_file(path.string(), "schema");
    std::move(parsed.mistakes.begin(), parsed.mistakes.end(), std::back_inserter(mistakes));
    schemas.agent = Schema(to_value(parsed.root));
    schemas.agent_name = path.string();
  } else if (!options.agent_schema.empty()) {
    schemas.agent_name = "schema of agent " + options.agent;
    auto schema = Schema::parse(options.agent_schema);
    if (schema) {
      schemas.agent = std::move(*schema);
    } else {
      mistakes.push_back({{"schema", schemas.agent_name, 0, 0}, "agent", schema.error().message});
    }
  }
  return schemas;
}

Layers read_layers(const LoadOptions& options, const Schemas& schemas) { return Reader(options, schemas).run(); }

}  // namespace weft::config
