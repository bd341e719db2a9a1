// Node: a parsed YAML value that still knows where each part of it stands. Private to config.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weft/config/config.hpp"

namespace weft::config {

struct Source {
  std::string layer;
  std::string file;
};

struct Place {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;
  Origin origin() const {
    if (!source) return {"default", "", 0, 0};
    return {source->layer, source->file, line, column};
  }
};

struct Node {
  enum class Kind : std::uint8_t { scalar, list, map };
  using Map = std::map<std::string, Node, std::less<>>;

  Kind kind = Kind::scalar;
  Value scalar;
  std::vector<Node> items;
  Map members;
  Place place;
  Place key;  ///< of the key that leads here, where this is a member of a map that was written out

  bool is_map() const noexcept { return kind == Kind::map; }
  bool is_null() const noexcept { return kind == Kind::scalar && scalar.is_null(); }
  /// Where a person looks for it: a map or list at its key, else the value itself.
  Origin origin() const { return kind != Kind::scalar && key.source ? key.origin() : place.origin(); }
};

Value to_value(const Node& node);
Node to_node(const Value& value, const Place& place);

/// Removes the sections at the top whose names begin with "x-": they hold anchors for the rest of the file.
void drop_anchor_sections(Node& root);

/// One step of a path: a key, or an index into a list.
struct Step {
  std::string key;
  std::size_t index = 0;
  bool is_index = false;
};
using Path = std::vector<Step>;
/// "agents.digest.needs[0]"
std::string to_string(const Path& path);
std::string join(const std::string& path, std::string_view key);
std::string join(const std::string& path, std::size_t index);
/// The node at `path`, or the deepest one on the way. Borrowed.
const Node& deepest(const Node& root, const Path& path);

}  // namespace weft::config
