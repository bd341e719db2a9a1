// A tree against a schema: all mistakes, each at its place and in words. Private to config.
#pragma once
#include "weft/config/node.hpp"
#include "weft/config/schema.hpp"

namespace weft::config {

/// `prefix` goes before each path ("agent"). `schema_name` is told when the schema itself is wrong.
std::vector<Mistake> check(const Schema& schema, const Node& root, const std::string& prefix,
                           const std::string& schema_name);
/// By layer, file, line and column; the same mistake once.
void tidy(std::vector<Mistake>& mistakes);

}  // namespace weft::config
