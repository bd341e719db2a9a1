// The memory backend.
#include "tests/unit/store/contract.hpp"

using namespace weft;

TEST_CASE("the memory store keeps the contract of a store") {
  auto store = store::open_memory();
  test::check_contract(*store);
}
