// Nodes to values and back, and paths as people write them.
#include "weft/config/node.hpp"

namespace weft::config {

Value to_value(const Node& node) {
  if (node.kind == Node::Kind::scalar) return node.scalar;
  if (node.kind == Node::Kind::list) {
    Value::List list;
    list.reserve(node.items.size());
    for (const auto& item : node.items) list.push_back(to_value(item));
    return list;
  }
  Value::Map map;
  for (const auto& [key, member] : node.members) map.emplace(key, to_value(member));
  return map;
}

Node to_node(const Value& value, const Place& place) {
  Node node;
  node.place = place;
  if (value.is_list()) {
    node.kind = Node::Kind::list;
    for (const auto& item : value.as_list()) node.items.push_back(to_node(item, place));
  } else if (value.is_map()) {
    node.kind = Node::Kind::map;
    for (const auto& [key, member] : value.as_map()) node.members.emplace(key, to_node(member, place));
  } else {
    node.scalar = value;
  }
  return node;
}

void drop_anchor_sections(Node& root) {
  std::erase_if(root.members, [](const auto& member) { return member.first.starts_with("x-"); });
}

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

std::string join(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

std::string to_string(const Path& path) {
  std::string text;
  for (const auto& step : path) text = step.is_index ? join(text, step.index) : join(text, step.key);
  return text;
}

const Node& deepest(const Node& root, const Path& path) {
  const Node* node = &root;
  for (const auto& step : path) {
    if (step.is_index) {
      if (step.index >= node->items.size()) return *node;
      node = &node->items[step.index];
    } else {
      const auto found = node->members.find(step.key);
      if (found == node->members.end()) return *node;
      node = &found->second;
    }
  }
  return *node;
}

}  // namespace weft::config
