#include "node/plan.hpp"

#include <set>

#include "tests/support/catch.hpp"
#include "weft/base/random.hpp"

using namespace weft::node;
using Names = std::vector<std::string>;

TEST_CASE("nothing to start is no batch, and one agent is one") {
  CHECK(batches({}).empty());
  CHECK(cycles({}).empty());
  CHECK(batches({{"a", {}}}) == std::vector<Names>{{"a"}});
}

TEST_CASE("what needs nothing of each other starts in one batch") {
  const Graph graph{{"a", {}}, {"b", {"a"}}, {"c", {"a"}}, {"d", {"b", "c"}}, {"e", {}}};
  CHECK(batches(graph) == std::vector<Names>{{"a", "e"}, {"b", "c"}, {"d"}});
  CHECK(cycles(graph).empty());
}

TEST_CASE("a cycle is shown whole, once, and each knot has its own") {
  const Graph graph{{"a", {"b"}}, {"b", {"c"}}, {"c", {"a"}}, {"d", {"a"}}, {"x", {"y"}}, {"y", {"x"}}, {"z", {"z"}}};
  const auto found = cycles(graph);
  REQUIRE(found.size() == 3);
  CHECK(cycle_text(found[0]) == "a -> b -> c -> a");
  CHECK(cycle_text(found[1]) == "x -> y -> x");
  CHECK(cycle_text(found[2]) == "z -> z");
  CHECK(batches(graph).empty());
}

TEST_CASE("of two cycles through one agent the shorter is shown") {
  const auto found = cycles({{"a", {"b", "d"}}, {"b", {"c"}}, {"c", {"a"}}, {"d", {"a"}}});
  REQUIRE(found.size() == 1);
  CHECK(cycle_text(found[0]) == "a -> d -> a");
}

TEST_CASE("in random graphs without cycles every agent comes after all it needs, and as early as it can") {
  weft::Random random(11);
  for (int round = 0; round < 200; ++round) {
    Graph graph;
    const auto count = 1 + random.below(30);
    for (std::uint64_t i = 0; i < count; ++i) {
      auto& needs = graph["n" + std::to_string(i)];
      for (std::uint64_t j = 0; j < i; ++j) {
        if (random.below(5) == 0) needs.push_back("n" + std::to_string(j));
      }
    }
    std::set<std::string> before, previous;
    std::size_t placed = 0;
    for (const auto& batch : batches(graph)) {
      for (const auto& name : batch) {
        bool early = previous.empty();
        for (const auto& need : graph[name]) {
          CHECK(before.contains(need));
          early = early || previous.contains(need);
        }
        CHECK(early);
      }
      previous = {batch.begin(), batch.end()};
      before.insert(batch.begin(), batch.end());
      placed += batch.size();
    }
    CHECK(placed == graph.size());
    CHECK(cycles(graph).empty());
  }
}
