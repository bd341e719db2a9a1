// The layers in order, each as a tree of Nodes. Private to config.
#pragma once
#include "weft/config/node.hpp"
#include "weft/config/schema.hpp"

namespace weft::config {

/// The schema of the whole tree and that of the section `agent`, where there is one.
struct Schemas {
  Schema core;
  Schema agent;
  std::string agent_name;  ///< file, or "schema of agent x"
  Schema::At at(const Path& path) const;
};

struct Layers {
  std::vector<Node> trees;  ///< lowest first
  std::vector<Mistake> mistakes;
  std::vector<std::string> warnings;
};
/// Reads schema/agents/<agent>.yaml, else `options.agent_schema`.
Schemas read_schemas(const LoadOptions& options, std::vector<Mistake>& mistakes);
Layers read_layers(const LoadOptions& options, const Schemas& schemas);

}  // namespace weft::config
