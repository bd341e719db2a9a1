#include "tests/support/catch.hpp"
#include "tests/unit/actor/simulated_tree.hpp"

using namespace weft;
using namespace weft::actor;

TEST_CASE("random supervision trees under random bad luck do what a naive model allows") {
  test::Seen seen;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    try {
      test::SimulatedTree(seed, seen).run(1s);
    } catch (const std::exception& error) {
      FAIL("seed " << seed << ": " << error.what());
    }
  }
  // A model test that meets nothing proves nothing.
  CHECK(seen.restarts > 1000);
  CHECK(seen.gave_up > 100);
  CHECK(seen.failed > 100);
  CHECK(seen.escalated > 10);
  CHECK(seen.grouped_ends > 1000);
  CHECK(seen.grown_groups > 10);
  CHECK(seen.called_off > 100);
}
