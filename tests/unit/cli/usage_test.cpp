#include "cli/usage.hpp"

#include "cli/cli.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

TEST_CASE("a command line that was not understood still says that it wants JSON") {
  const char* asks[] = {"weft", "nonsense", "-j"};
  const char* asks_not[] = {"weft", "call", "--", "--json"};
  REQUIRE(asks_for_json(3, asks));
  REQUIRE_FALSE(asks_for_json(4, asks_not));
}

TEST_CASE("the flags of a verb are its own and those of all above it") {
  bool all = false, json = false;
  const Verb verb{.name = "list", .summary = "", .options = {flag("-a,--all", all, "All")}};
  const Verb root{.name = "weft", .summary = "", .options = {flag("-j,--json", json, "JSON")}};
  REQUIRE(flags_of({&root, &verb}) == std::vector<std::string>{"--help", "--all", "--help", "--json", "--version"});
  REQUIRE(path_of({&root, &verb}) == "weft list");
}

TEST_CASE("the verbs below a verb are listed with their aliases") {
  const Verb root{.name = "weft",
                  .summary = "",
                  .verbs = {{.name = "list", .summary = "", .alias = "ls"}, {.name = "info", .summary = ""}}};
  REQUIRE(verbs_of(root) == std::vector<std::string>{"list", "ls", "info"});
}
