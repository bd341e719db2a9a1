// weft config check|explain|show: what the layers say together, and where each value came from.
#include "cli/cli.hpp"
#include "cli/fleet_config.hpp"
#include "weft/base/target.hpp"
#include "weft/base/text.hpp"
#include "weft/config/config.hpp"
#include "weft/policy/policy.hpp"

#include <unistd.h>

namespace weft::cli {
namespace {

using config::Config;
using config::Mistake;

constexpr int kBadConfig = 78;  // sysexits(3)

/// Whose configuration is looked at.
struct View {
  std::string directory, environment, host, agent, fleet, key;
  std::vector<std::string> sets;
};

std::vector<Option> view_options(View& view, Option more) {
  return {text("--config-dir", view.directory, "DIR", "Where base.yaml lies").from_environment("WEFT_CONFIG_DIR"),
          text("--env", view.environment, "NAME", "With env/NAME.yaml").from_environment("WEFT_ENV"),
          text("--host", view.host, "NAME", "As the host NAME sees it").from_environment("WEFT_HOST"),
          text("--agent", view.agent, "NAME", "As the agent NAME sees it"),
          texts("--set", view.sets, "KEY=VALUE", "A value over all layers; may be given more than once"),
          std::move(more)};
}

config::LoadOptions load_options(const View& view) {
  config::LoadOptions options;
  options.directory = config::find_directory(view.directory);
  options.environment = view.environment;
  options.host = view.host;
  options.agent = view.agent;
  options.sets = view.sets;
  options.variables = config_variables();
  return options;
}

Value to_document(const Mistake& mistake) {
  Value document;
  document.set("layer", mistake.origin.layer);
  document.set("file", mistake.origin.file);
  document.set("line", mistake.origin.line);
  document.set("column", mistake.origin.column);
  document.set("path", mistake.path);
  document.set("text", mistake.text);
  return document;
}

int tell(const Global& global, const std::vector<Mistake>& mistakes) {
  if (global.json) {
    Value::List list;
    for (const auto& mistake : mistakes) list.push_back(to_document(mistake));
    print_json(list);
  } else {
    for (const auto& mistake : mistakes) print_line(printable(mistake.describe()));
  }
  return mistakes.empty() ? kDone : kBadConfig;
}

std::string from_where(const config::LoadOptions& options) {
  return options.directory.empty() ? "built-in defaults only: no configuration directory was found" : options.directory;
}

int check(const Global& global, const View& view) {
  const auto options = load_options(view);
  std::vector<Mistake> mistakes;
  std::string good;
  if (view.fleet.empty()) {
    auto loaded = config::load(options);
    for (const auto& warning : loaded.config().warnings()) note(global, "warning: " + printable(warning));
    if (loaded.ok()) good = "good (" + from_where(options) + ", hash " + loaded.config().hash() + ")";
    mistakes = std::move(loaded).mistakes();
  } else {
    mistakes = check_fleet_config(view.fleet, options);
    good = "good (" + view.fleet + ", " + from_where(options) + ")";
  }
  const int code = tell(global, mistakes);
  note(global,
       mistakes.empty() ? good : std::to_string(mistakes.size()) + (mistakes.size() == 1 ? " mistake" : " mistakes"));
  return code;
}

/// Loads, or tells the mistakes on stderr: stdout is for what was asked for.
std::optional<Config> load_or_tell(const Global& global, const View& view) {
  auto loaded = config::load(load_options(view));
  if (loaded.ok()) return std::move(loaded).config();
  if (global.json) (void)tell(global, loaded.mistakes());
  for (const auto& mistake : loaded.mistakes()) std::fprintf(stderr, "%s\n", printable(mistake.describe()).c_str());
  return std::nullopt;
}

void collect(const Value& value, const std::string& path, std::vector<std::string>& leaves,
             std::vector<std::string>& all) {
  if (!path.empty()) all.push_back(path);
  if (!value.is_map() || value.as_map().empty()) return leaves.push_back(path);
  for (const auto& [key, member] : value.as_map()) collect(member, path.empty() ? key : path + "." + key, leaves, all);
}

int unknown(const Global& global, const Value& root, const std::string& key) {
  std::vector<std::string> leaves, all;
  collect(root, "", leaves, all);
  return fail(global, Error(codes::bad_value, "no key '" + key + "'" + did_you_mean(key, {all.begin(), all.end()}),
                            "'weft config show' lists all keys; --agent NAME adds those of an agent"));
}

int show(const Global& global, const View& view) {
  const auto config = load_or_tell(global, view);
  if (!config) return kBadConfig;
  const Value root = config->redacted();
  const Value* value = view.key.empty() ? &root : root.find(view.key);
  if (!value) return unknown(global, root, view.key);
  if (global.json) {
    print_json(*value);
  } else {
    print(config::to_yaml(*value));
  }
  return kDone;
}

std::string in_one_line(const Value& value) {
  return printable(value.is_string() ? value.as_string() : to_json(value));
}

/// The stack of one leaf, lowest layer first; the winner is marked.
void explain_leaf(const std::vector<std::pair<config::Origin, Value>>& stack, Table& table, Value::List& documents) {
  for (std::size_t i = 0; i < stack.size(); ++i) {
    const auto& [origin, value] = stack[i];
    const bool wins = i + 1 == stack.size();
    table.add({wins ? "*" : "", origin.layer, in_one_line(value), printable(origin.where())});
    Value layer;
    layer.set("layer", origin.layer);
    layer.set("where", origin.where());
    layer.set("file", origin.file);
    layer.set("line", origin.line);
    layer.set("column", origin.column);
    layer.set("value", value);
    layer.set("wins", wins);
    documents.push_back(std::move(layer));
  }
}

/// "digest.summary" of the key "mesh.policies.digest.summary"; none for a part of one rule, such as
/// "mesh.policies.digest.retry", and for patterns.
std::optional<std::string> target_of(const Value& root, const std::string& key) {
  const std::string section = "mesh.policies.";
  if (!key.starts_with(section)) return std::nullopt;
  std::string target = key.substr(section.size());
  const bool names = check_name("agent", target) || weft::Target::parse(target);
  const Value* policies = root.find("mesh.policies");
  const bool rule = policies && policies->is_map() && policies->as_map().contains(target);
  if (!names || (!rule && root.find(key))) return std::nullopt;
  return target;
}

/// What holds for calls of `target`: each value with the rule that won and where it stands.
int explain_policy(const Global& global, const Config& config, const std::string& target) {
  const auto policies = policy::Policies::from(config);
  if (!policies) return fail(global, policies.error());
  Value::List documents;
  Table table({"POLICY", "VALUE", "OF", "FROM"});
  for (const auto& setting : policies->policy_for(target).settings) {
    table.add({setting.key, in_one_line(setting.value), setting.pattern, printable(setting.where)});
    Value document;
    document.set("key", setting.key);
    document.set("value", setting.value);
    document.set("pattern", setting.pattern);
    document.set("where", setting.where);
    documents.push_back(std::move(document));
  }
  if (global.json) {
    print_json(Value(std::move(documents)));
  } else {
    table.print();
  }
  return kDone;
}

int explain(const Global& global, const View& view) {
  const auto config = load_or_tell(global, view);
  if (!config) return kBadConfig;
  const Value root = config->redacted();
  if (const auto target = target_of(root, view.key)) return explain_policy(global, *config, *target);
  const Value* value = root.find(view.key);
  if (!value) return unknown(global, root, view.key);
  std::vector<std::string> leaves, all;
  collect(*value, view.key, leaves, all);
  Value::List documents;
  for (const auto& leaf : leaves) {
    Table table({"", "LAYER", "VALUE", "WHERE"});
    Value::List layers;
    explain_leaf(config->explain(leaf), table, layers);
    Value document;
    document.set("key", leaf);
    document.set("value", *root.find(leaf));
    document.set("layers", std::move(layers));
    documents.push_back(std::move(document));
    if (global.json) continue;
    print_line((leaf == leaves.front() ? "" : "\n") + leaf + " = " + in_one_line(*root.find(leaf)));
    table.print();
  }
  if (global.json) print_json(leaves.size() == 1 && leaves[0] == view.key ? documents[0] : Value(std::move(documents)));
  return kDone;
}

}  // namespace

std::vector<Verb> config_verbs() {
  auto checked = std::make_shared<View>(), shown = std::make_shared<View>(), explained = std::make_shared<View>();
  constexpr auto kKey = "A key or section, as registry.lease";
  return {
      {.name = "config",
       .summary = "Look at the configuration: its layers, mistakes and values",
       .verbs = {
           {.name = "check",
            .summary = "Check all layers; every mistake is told, and the exit code is 78",
            .examples = {"weft config check", "weft config check --host alpha --agent echo",
                         "weft config check --fleet config/fleets/demo.yaml --json"},
            .options = view_options(*checked, text("--fleet", checked->fleet, "FILE",
                                                   "Check FILE too, and what each of its agents gets on each host")),
            .run = [checked](const Global& global) { return check(global, *checked); }},
           {.name = "show",
            .summary = "Print the merged configuration, or the part at KEY; secrets are hidden",
            .examples = {"weft config show", "weft config show registry --host alpha", "weft config show --json"},
            .options = view_options(*shown, text("key", shown->key, "KEY", kKey)),
            .run = [shown](const Global& global) { return show(global, *shown); }},
           {.name = "explain",
            .summary = "Tell where a value came from: all layers that set it, the winner marked",
            .examples = {"weft config explain log.level", "weft config explain registry --host alpha --env demo",
                         "weft config explain mesh.policies.digest.summary"},
            .options = view_options(*explained, text("key", explained->key, "KEY", kKey).required()),
            .run = [explained](const Global& global) { return explain(global, *explained); }}}}};
}

}  // namespace weft::cli
