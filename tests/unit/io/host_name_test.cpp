#include "weft/io/host_name.hpp"

#include <unistd.h>

#include "tests/support/catch.hpp"

using weft::io::is_own_host;

TEST_CASE("addresses and names that public DNS does not know are own hosts") {
  for (const auto* host :
       {"", "localhost", "localhost:7410", "LOCALHOST.", "a.localhost", "127.0.0.1", "10.0.0.1:7410", "[::1]:7410",
        "[fe80::1]", "registry", "registry-alpha:7410", "alpha.local", "registry.weft.svc.cluster.local:7410"}) {
    CAPTURE(host);
    CHECK(is_own_host(host, {}));
  }
  char name[256] = "";
  REQUIRE(::gethostname(name, sizeof name - 1) == 0);
  CHECK(is_own_host(name, {}));
}

TEST_CASE("a name that anybody can point here is no own host, until it is configured") {
  for (const auto* host :
       {"evil.example", "evil.example:7410", "127.0.0.1.evil.example", "local.example", "x.localhost.evil"}) {
    CAPTURE(host);
    CHECK_FALSE(is_own_host(host, {"alpha.example.org"}));
    CHECK(is_own_host(host, {"*"}));
  }
  CHECK(is_own_host("Alpha.Example.org:7410", {"alpha.example.org"}));
  CHECK(is_own_host("alpha.example.org.", {"ALPHA.example.org"}));
}
