// What every backend promises, as checks that each backend's test runs.
#pragma once
#include "tests/support/catch.hpp"
#include "weft/store/store.hpp"

namespace weft::test {

inline std::string keys_of(store::Store& store, std::string_view prefix) {
  const auto entries = store.list(prefix).value();
  std::string keys;
  for (const auto& entry : entries) keys += entry.key + "=" + entry.value + " ";
  return keys;
}

inline void check_contract(store::Store& store) {
  CHECK(keys_of(store, "").empty());
  CHECK(store.apply({}));
  REQUIRE(store.apply({{"b/2", "two"}, {"a/1", "one"}, {"b/1", ""}, {"c", "see"}}));
  CHECK(keys_of(store, "b/") == "b/1= b/2=two ");
  CHECK(keys_of(store, "") == "a/1=one b/1= b/2=two c=see ");
  CHECK(keys_of(store, "d").empty());
  REQUIRE(store.apply({{"a/1", "new"}, {"b/1", "", true}, {"none", "", true}}));
  CHECK(keys_of(store, "") == "a/1=new b/2=two c=see ");
  // one batch may write a key twice: the later wins
  REQUIRE(store.apply({{"c", "x"}, {"c", "", true}, {"b/2", "", true}, {"b/2", "back"}}));
  CHECK(keys_of(store, "") == "a/1=new b/2=back ");
  const std::string bytes("\0\xff\n", 3);
  REQUIRE(store.apply({{bytes, bytes}}));
  CHECK(store.list(bytes).value().at(0).value == bytes);
}

}  // namespace weft::test
