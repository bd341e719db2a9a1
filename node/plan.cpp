#include "node/plan.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

namespace weft::node {
namespace {

/// The shortest way from `from` back to itself, or nothing.
std::vector<std::string> shortest_cycle(const Graph& graph, const std::string& from) {
  std::map<std::string, std::string> came_from;
  std::deque<std::string> queue{from};
  while (!queue.empty()) {
    const auto at = std::move(queue.front());
    queue.pop_front();
    const auto found = graph.find(at);
    if (found == graph.end()) continue;
    for (const auto& need : found->second) {
      if (!came_from.emplace(need, at).second) continue;
      if (need != from) {
        queue.push_back(need);
        continue;
      }
      std::vector<std::string> way{from};
      for (auto step = at; step != from; step = came_from.at(step)) way.push_back(step);
      way.push_back(from);
      std::reverse(way.begin(), way.end());
      return way;
    }
  }
  return {};
}

std::set<std::string> reachable(const Graph& graph, const std::string& from) {
  std::set<std::string> seen;
  std::vector<std::string> open{from};
  while (!open.empty()) {
    const auto at = std::move(open.back());
    open.pop_back();
    if (!seen.insert(at).second) continue;
    if (const auto found = graph.find(at); found != graph.end())
      open.insert(open.end(), found->second.begin(), found->second.end());
  }
  return seen;
}

}  // namespace

std::vector<std::vector<std::string>> cycles(const Graph& graph) {
  std::vector<std::vector<std::string>> found;
  std::set<std::string> told;  // nodes of knots that have been shown
  for (const auto& [name, needs] : graph) {
    if (told.contains(name)) continue;
    auto cycle = shortest_cycle(graph, name);
    if (cycle.empty()) continue;
    for (const auto& other : reachable(graph, name)) {
      if (reachable(graph, other).contains(name)) told.insert(other);
    }
    found.push_back(std::move(cycle));
  }
  return found;
}

std::vector<std::vector<std::string>> batches(const Graph& graph) {
  std::map<std::string, std::size_t> missing;
  std::map<std::string, std::vector<std::string>> needed_by;
  for (const auto& [name, needs] : graph) {
    missing[name] += needs.size();
    for (const auto& need : needs) needed_by[need].push_back(name);
  }
  std::vector<std::vector<std::string>> order;
  std::vector<std::string> batch;
  for (const auto& [name, count] : missing) {
    if (count == 0) batch.push_back(name);
  }
  while (!batch.empty()) {
    std::vector<std::string> next;
    for (const auto& name : batch) {
      for (const auto& user : needed_by[name]) {
        if (--missing[user] == 0) next.push_back(user);
      }
    }
    std::sort(next.begin(), next.end());
    order.push_back(std::exchange(batch, std::move(next)));
  }
  return order;
}

std::string cycle_text(const std::vector<std::string>& cycle) {
  std::string text;
  for (const auto& name : cycle) text += (text.empty() ? "" : " -> ") + name;
  return text;
}

}  // namespace weft::node
