#include "cli/explain.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

TEST_CASE("a code is found by id, number or name, in any case") {
  for (const auto* text : {"WEFT-2003", "weft-2003", "2003", "NO_RESPONDERS", "no_responders"}) {
    REQUIRE(find_code(text)->id == "WEFT-2003");
  }
}

TEST_CASE("an unknown code is told with the nearest one") {
  REQUIRE(find_code("NO_RESPONDRS").error().message.find("did you mean 'NO_RESPONDERS'?") != std::string::npos);
  REQUIRE_FALSE(find_code(""));
  REQUIRE_FALSE(find_code("99999999"));
}

TEST_CASE("every code has an explanation that names it") {
  REQUIRE(error_catalogue().size() > 30);
  for (const auto& code : error_catalogue()) {
    INFO(code.id);
    REQUIRE(explain(code).find(code.id) != std::string::npos);
  }
}
