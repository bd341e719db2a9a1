// load(): layers merged, checked, and turned into a Config whose every value knows its history.
#include <algorithm>

#include "weft/config/built_in.hpp"
#include "weft/config/check.hpp"
#include "weft/config/layers.hpp"

namespace weft::config {
namespace {

std::string fingerprint(const Value& root) {  // FNV-1a, 64 bits (draft-eastlake-fnv)
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : to_json(root)) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ull;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, hash >>= 4) *digit = kDigits[hash & 15];
  return text;
}

}  // namespace

const Schema& core_schema() {
  static const Schema schema = Schema::parse(built_in_schema("weft")).value();
  return schema;
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : schemas_(read_schemas(options, mistakes_)) {
    Layers layers = read_layers(options, schemas_);
    std::move(layers.mistakes.begin(), layers.mistakes.end(), std::back_inserter(mistakes_));
    config_.warnings_ = std::move(layers.warnings);
    root_.kind = Node::Kind::map;
    Path path;
    for (const auto& tree : layers.trees) merge(root_, tree, path);
    place_directories();
  }

  Loaded run() {
    add(check(schemas_.core, root_, "", "built-in schema"));
    const auto agent = root_.members.find("agent");
    if (agent != root_.members.end() && agent->second.is_map() && !schemas_.agent.empty())
      add(check(schemas_.agent, agent->second, "agent", schemas_.agent_name));
    if (!mistakes_.empty()) {
      tidy(mistakes_);
      return Loaded(std::move(mistakes_));
    }
    config_.root_ = to_value(root_);
    config_.hash_ = fingerprint(config_.root_);
    forget_replaced("", config_.root_);
    config_.history_ = std::move(kept_);
    Path path;
    collect_secrets(root_, path);
    return Loaded(std::move(config_));
  }

 private:
  void add(std::vector<Mistake> mistakes) {
    std::move(mistakes.begin(), mistakes.end(), std::back_inserter(mistakes_));
  }

  /// Maps merge, lists and scalars replace. A section without content says nothing.
  void merge(Node& into, const Node& layer, Path& path) {
    if (into.is_map() && layer.is_null()) return;
    if (!into.is_map() || !layer.is_map()) {
      if (layer.is_map()) {  // a map where there was none: its leaves one by one, for their history
        into = Node{};
        into.kind = Node::Kind::map;
      } else {
        into = layer;
        return remember(layer, path);
      }
    }
    into.place = layer.place;
    into.key = layer.key;
    if (layer.members.empty()) remember(layer, path);
    for (const auto& [key, member] : layer.members) {
      path.push_back({key, 0, false});
      merge(into.members[key], member, path);
      path.pop_back();
    }
  }
  /// A directory that no layer sets gets its place from the names of mesh and host. What is malformed stays so: the
  /// check tells it.
  void place_directories() {
    const auto at = [this](const char* section, const char* key) -> Node* {
      const auto found = root_.members.find(section);
      if (found == root_.members.end() || !found->second.is_map()) return nullptr;
      const auto member = found->second.members.find(key);
      const bool text = member != found->second.members.end() && member->second.scalar.is_string();
      return text ? &member->second : nullptr;
    };
    const Node *mesh = at("mesh", "name"), *host = at("host", "name");
    if (!mesh || !host) return;
    const auto place = [&](const char* section, const std::string& path) {
      Node* directory = at(section, "directory");
      if (!directory || !directory->scalar.is("")) return;
      *directory = to_node(Value(path), Place{std::make_shared<const Source>(Source{"default", ""})});
      Path where;
      where.push_back({section, 0, false});
      where.push_back({"directory", 0, false});
      remember(*directory, where);
    };
    place("state", default_state_directory(mesh->scalar.as_string(), host->scalar.as_string()));
    place("run", default_run_directory(mesh->scalar.as_string(), host->scalar.as_string()));
  }
  void remember(const Node& leaf, const Path& path) {
    const Schema::At at = schemas_.at(path);
    const Value value = to_value(leaf);
    const Schema& schema = !path.empty() && path[0].key == "agent" ? schemas_.agent : schemas_.core;
    tell_plain_secrets(leaf, schema, at, to_string(path));
    config_.history_[to_string(path)].emplace_back(leaf.place.origin(), hide_secrets(schema, at, value));
  }
  /// Also in layers that a later one wins over: it is in a file.
  void tell_plain_secrets(const Node& node, const Schema& schema, const Schema::At& at, const std::string& path) {
    for (std::size_t i = 0; i < node.items.size(); ++i)
      tell_plain_secrets(node.items[i], schema, schema.item(at, i), join(path, i));
    if (node.kind == Node::Kind::scalar && is_plain_secret(at, node.scalar))
      mistakes_.push_back({node.place.origin(), path, std::string(kPlainSecret)});
  }
  /// Drops the history of places that are no leaf of the effective tree.
  void forget_replaced(const std::string& path, const Value& value) {
    if (value.is_map() && !value.as_map().empty()) {
      for (const auto& [key, member] : value.as_map()) forget_replaced(join(path, key), member);
      return;
    }
    if (auto history = config_.history_.extract(path)) kept_.insert(std::move(history));
  }
  void collect_secrets(const Node& node, Path& path) {
    if (node.kind == Node::Kind::scalar && is_secret(schemas_.at(path)))
      config_.secret_paths_.push_back(to_string(path));
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      path.push_back({{}, i, true});
      collect_secrets(node.items[i], path);
      path.pop_back();
    }
    for (const auto& [key, member] : node.members) {
      path.push_back({key, 0, false});
      collect_secrets(member, path);
      path.pop_back();
    }
  }

  std::vector<Mistake> mistakes_;
  Schemas schemas_;
  Node root_;
  Config config_;
  decltype(Config::history_) kept_;
};

Loaded load(const LoadOptions& options) { return Loader(options).run(); }

}  // namespace weft::config
