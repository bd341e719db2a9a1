#include "weft/base/semver.hpp"

#include "tests/support/catch.hpp"

using weft::is_semver;

TEST_CASE("semantic versions are taken, with pre-release and build") {
  for (const auto* version :
       {"0.0.0", "1.4.0", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y-z.--", "1.0.0+001",
        "1.0.0-beta+exp.sha.5114f85", "1.0.0+21AF26D3---117B344092BD", "99999999999999999999.0.0"}) {
    CAPTURE(version);
    CHECK(is_semver(version));
  }
}

TEST_CASE("anything else is no semantic version") {
  for (const auto* version : {"", "banana!!", "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.02.3", "1.2.3-", "1.2.3-01",
                              "1.2.3-a..b", "1.2.3+", "1.2.3+a+b", "1.2.3 ", "1.2.x", "-1.2.3", "1..3", "1.2.3-ä"}) {
    CAPTURE(version);
    CHECK_FALSE(is_semver(version));
  }
}
