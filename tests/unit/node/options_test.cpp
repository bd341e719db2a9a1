#include "node/options.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::node;
using Names = std::vector<std::string>;

TEST_CASE("both ways to write a value are understood, and what is not the node's is passed on") {
  const auto options = parse_options({"--fleet", "f.yaml", "--host=alpha", "--address", "alpha=10.0.0.1",
                                      "--address=beta=::1", "--detach", "--log-level", "debug", "--set=a.b=c"});
  REQUIRE(options);
  CHECK(options->fleet == "f.yaml");
  CHECK(options->host == "alpha");
  CHECK(options->addresses == Addresses{{"alpha", "10.0.0.1"}, {"beta", "::1"}});
  CHECK(options->detach);
  CHECK_FALSE(options->progress);
  CHECK(options->rest == Names{"--log-level", "debug", "--set=a.b=c"});
}

TEST_CASE("no arguments are fine, a missing value and a bad address are not") {
  CHECK(parse_options({}));
  CHECK(parse_options({"--fleet"}).error().message == "--fleet wants a value");
  for (const auto* bad : {"alpha", "=1", "alpha="}) CHECK_FALSE(parse_options({"--address", bad}));
}

TEST_CASE("the host is the one said, else the only one, else this machine's") {
  ::unsetenv("WEFT_HOST");
  Fleet fleet;
  fleet.hosts = {{"alpha", "10.0.0.1", true}};
  CHECK(*choose_host(fleet, "", "machine") == "alpha");
  fleet.hosts.push_back({"beta", "10.0.0.2"});
  CHECK(*choose_host(fleet, "beta", "alpha") == "beta");
  CHECK(*choose_host(fleet, "", "alpha") == "alpha");
  const auto unknown = choose_host(fleet, "alhpa", "alpha");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message == "the fleet has no host 'alhpa', did you mean 'alpha'?");
  CHECK(unknown.error().hint == "--host names one of: alpha, beta");
}
