#include "weft/base/error.hpp"
#include "tests/support/catch.hpp"
#include "weft/base/codes.hpp"

namespace weft {

TEST_CASE("a kind has one name, which leads back to it") {
  for (std::size_t number = 0; number <= static_cast<std::size_t>(ErrorKind::internal); ++number) {
    const auto kind = static_cast<ErrorKind>(number);
    CHECK(facts(kind).kind == kind);
    CHECK(error_kind_from(to_string(kind)) == kind);
    CHECK_FALSE(facts(kind).advice.empty());
  }
}

TEST_CASE("an unknown kind or name is internal") {
  CHECK(facts(static_cast<ErrorKind>(250)).kind == ErrorKind::internal);
  CHECK(error_kind_from("") == ErrorKind::internal);
  CHECK(error_kind_from("Timeout") == ErrorKind::internal);
}

TEST_CASE("what may have been carried out is not retried without an idempotency key") {
  for (std::size_t number = 0; number <= static_cast<std::size_t>(ErrorKind::internal); ++number) {
    const auto& row = facts(static_cast<ErrorKind>(number));
    CHECK_FALSE((row.retryable && row.may_be_done));
  }
  CHECK(retryable(codes::no_responders.kind));
  CHECK_FALSE(retryable(codes::deadline_exceeded.kind));
  CHECK(facts(codes::deadline_exceeded.kind).may_be_done);
}

TEST_CASE("an error describes itself in one line") {
  CHECK(Error(codes::no_responders, "nobody serves x.y", "start x").describe() ==
        "WEFT-2003 NO_RESPONDERS: nobody serves x.y (start x)");
  CHECK(Error(ErrorKind::invalid, "", "bad").describe() == "bad");
}

}  // namespace weft
