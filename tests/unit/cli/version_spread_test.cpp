#include "cli/version_spread.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

wire::InstanceRecord record(const std::string& agent, const std::string& host, const std::string& version = "1.0.0",
                            const std::string& weft = "0.1.0") {
  wire::InstanceRecord out;
  out.agent = agent;
  out.host = host;
  out.version = version;
  if (!weft.empty()) out.tags["weft"] = weft;
  return out;
}
std::vector<std::string> texts(const VersionSpread& spread) {
  std::vector<std::string> out;
  for (const auto& one : spread.findings) out.push_back(one.severity + ": " + one.text);
  return out;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a mesh of nobody, and one of equal versions, is even") {
  CHECK(version_spread({}).even);
  const auto spread =
      version_spread({record("echo", "alpha"), record("echo", "beta"), record("digest", "alpha", "2.0")});
  CHECK(spread.even);
  CHECK(spread.findings.empty());
  REQUIRE(spread.weft.size() == 1);
  CHECK(spread.weft[0].holders == Texts{"digest@alpha", "echo@alpha", "echo@beta"});
  CHECK(spread.protocol[0].version == "1");
  CHECK(spread.agents.size() == 2);
}

TEST_CASE("two versions of one agent are told with who runs which") {
  const auto spread =
      version_spread({record("echo", "beta", "1.1.0"), record("echo", "alpha"), record("digest", "beta")});
  CHECK_FALSE(spread.even);
  CHECK(texts(spread) ==
        Texts{"warning: more than one version of agent 'echo': 1.0.0 (echo@alpha), 1.1.0 (echo@beta)"});
}

TEST_CASE("two releases of Weft are told") {
  std::vector<wire::InstanceRecord> records;
  for (int i = 0; i < 5; ++i) records.push_back(record("a" + std::to_string(i), "alpha"));
  records.push_back(record("old", "beta", "1.0.0", "0.0.9"));
  CHECK(texts(version_spread(records)) == Texts{"warning: more than one release of Weft: 0.0.9 (old@beta), "
                                                "0.1.0 (a0@alpha, a1@alpha, a2@alpha and 2 more)"});
}

TEST_CASE("an agent that is not built with the library has no release, and does not make a mesh uneven") {
  const auto spread = version_spread({record("echo", "alpha"), record("camera", "alpha", "2.0.0", "")});
  CHECK(spread.even);
  REQUIRE(spread.weft.size() == 2);
  CHECK(spread.weft[1].version == "none");
  CHECK(spread.weft[1].holders == Texts{"camera@alpha"});
}

TEST_CASE("ranges of the protocol that do not overlap are critical, and both are told; those that do are a warning") {
  auto now = record("echo", "alpha"), next = record("digest", "beta");
  next.protocol_min = 1;
  next.protocol_max = 2;
  CHECK(texts(version_spread({now, next})) ==
        Texts{"warning: more than one range of the protocol: 1 (echo@alpha), 1 to 2 (digest@beta)"});
  next.protocol_min = 2;
  next.protocol_max = 3;
  const auto spread = version_spread({now, next});
  REQUIRE(spread.findings.size() == 2);
  CHECK(texts(spread)[0] ==
        "critical: echo@alpha speaks version 1 of the protocol and digest@beta version 2 to 3: they do not call each "
        "other");
}
