// Dependency graphs: which order, what in parallel, and the cycles that make an order impossible. Pure.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft::node {

/// Name -> the names it needs. Every need is a key.
using Graph = std::map<std::string, std::vector<std::string>, std::less<>>;

/// One shortest cycle for each knot of nodes that need each other: {"a", "b", "a"}, from the first name in the
/// alphabet.
std::vector<std::vector<std::string>> cycles(const Graph& graph);

/// Each batch needs only what is in the batches before it; what is in one batch starts in parallel. The nodes of a
/// cycle, and what needs them, are in no batch.
std::vector<std::vector<std::string>> batches(const Graph& graph);

/// "a -> b -> a".
std::string cycle_text(const std::vector<std::string>& cycle);

}  // namespace weft::node
