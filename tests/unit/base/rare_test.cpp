#include "weft/base/rare.hpp"

#include <map>
#include <string>

#include "tests/support/catch.hpp"

using weft::Rare;

TEST_CASE("a rare text reads like any, and takes a pointer's room while it is empty") {
  static_assert(sizeof(Rare<std::string>) == sizeof(void*));
  Rare<std::string> none, text = "here";
  CHECK(none.empty());
  CHECK(*none == "");
  CHECK(none == Rare<std::string>(""));
  CHECK_FALSE(text.empty());
  CHECK(*text == "here");
  CHECK(text->size() == 4);
  text = std::string();
  CHECK(text.empty());
}

TEST_CASE("a copy of a rare value is its own, and what was moved from is empty") {
  Rare<std::map<std::string, int>> first;
  first.edit()["a"] = 1;
  auto copy = first;
  copy.edit()["a"] = 2;
  CHECK(first->at("a") == 1);
  copy = first;
  CHECK(copy == first);
  const auto moved = std::move(first);
  CHECK(moved->at("a") == 1);
  CHECK(first.empty());
  copy.clear();
  CHECK(copy.empty());
}
