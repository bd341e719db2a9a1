#include "weft/base/result.hpp"

#include "tests/support/catch.hpp"
#include "weft/base/codes.hpp"

using namespace weft;

namespace {
Result<std::string> failed() { return Error(codes::bad_name, "why", "what to do"); }
}  // namespace

TEST_CASE("a result without a value tells its error, and is no larger than a value and a pointer's worth of state") {
  static_assert(sizeof(Result<void>) <= 2 * sizeof(void*));
  const auto result = failed();
  REQUIRE_FALSE(result);
  CHECK(result.error().is(codes::bad_name));
  CHECK(result.error().hint == "what to do");
}

TEST_CASE("a copied error is its own") {
  auto first = failed();
  auto copy = first;
  first.error().message = "changed";
  CHECK(copy.error().message == "why");
  copy = first;
  CHECK(copy.error() == first.error());
  first = std::string("fine");
  CHECK(copy.error().message == "changed");
}

TEST_CASE("an error is taken out of a result that goes away") {
  const Error taken = failed().error();
  CHECK(taken.message == "why");
  Result<void> other = failed().error();
  const Result<void> moved = std::move(other);
  CHECK(moved.error().is(codes::bad_name));
}
