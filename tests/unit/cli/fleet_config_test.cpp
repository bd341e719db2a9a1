#include "cli/fleet_config.hpp"

#include <cstdlib>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;

namespace {

struct Fixture {
  test::TempDir dir;
  config::LoadOptions options;
  Fixture() {
    options.directory = dir / "config";
    dir.write("config/base.yaml", "log: {level: info}\n");
    dir.write("config/schema/agents/echo.yaml",
              "{type: object, additionalProperties: false, properties: {greeting: {type: string}, words: {type: array, "
              "items: {type: string}}}}");
    dir.write("bin/weft-echo", "");
    std::filesystem::permissions(dir / "bin/weft-echo", std::filesystem::perms::owner_all);
    ::setenv("WEFT_PROGRAM_PATH", (dir / "bin").c_str(), 1);
  }
  ~Fixture() { ::unsetenv("WEFT_PROGRAM_PATH"); }
  /// Each mistake in a line, without the folder.
  std::string check(const std::string& fleet) {
    dir.write("fleet.yaml", fleet);
    std::string text;
    for (const auto& mistake : cli::check_fleet_config(dir / "fleet.yaml", options)) text += mistake.describe() + "\n";
    for (auto at = text.find(dir.path()); at != text.npos; at = text.find(dir.path()))
      text.erase(at, dir.path().size() + 1);
    return text;
  }
};

const std::string kHosts = "mesh: m\nhosts: {alpha: {address: 127.0.0.2, hub: true}, beta: {address: 127.0.0.3}}\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "a fleet whose agents get what their schemas want has no mistakes") {
  REQUIRE(check(kHosts + "agents: {echo: {on: [alpha, beta], config: {greeting: '5', words: [a]}}}\n").empty());
}

TEST_CASE_METHOD(Fixture, "what a fleet says in config is told at its place in the fleet file, once for all hosts") {
  REQUIRE(
      check(kHosts + "agents:\n  echo:\n    on: [alpha, beta]\n    config:\n      greting: x\n      words: [a, 5]\n") ==
      "fleet.yaml:7:16: agent.greting: unknown key, did you mean 'greeting'?\n"
      "fleet.yaml:8:18: agent.words[1]: wanted text, got 5 (in quotes it is text)\n");
}

TEST_CASE_METHOD(Fixture, "an agent with another name than its program is checked by the schema of the program") {
  const std::string agents = "agents:\n  twin:\n    on: [alpha]\n    program: weft-echo\n    config: {backend: x}\n";
  REQUIRE(check(kHosts + agents) == "fleet.yaml:7:23: agent.backend: unknown key; known here: greeting, words\n");
  dir.write("config/schema/agents/twin.yaml", "{type: object, properties: {backend: {type: string}}}");
  REQUIRE(check(kHosts + agents).empty());  // the schema of its own name goes first
}

TEST_CASE_METHOD(Fixture, "mistakes of the fleet file, of its environment and of the layers are told together") {
  dir.write("config/hosts/beta.yaml", "log: {level: loud}\n");
  const std::string text = check("environment: none\n" + kHosts + "agents: {echo: {on: [gamma]}}\n");
  REQUIRE(text.find("fleet.yaml:4:") == 0);
  REQUIRE(text.find("config/env/none.yaml: does not exist") != text.npos);
  REQUIRE(text.find("config/hosts/beta.yaml:1:14: log.level: wanted one of") != text.npos);
  options.environment = "told";
  REQUIRE(check("environment: none\n" + kHosts + "agents: {}\n").find("config/env/told.yaml") != text.npos);
}

TEST_CASE_METHOD(Fixture, "a fleet file that is no YAML, or away, is told, and the layers are left alone") {
  REQUIRE(check("mesh: [\n").find("fleet.yaml:") == 0);
  REQUIRE(cli::check_fleet_config(dir / "none.yaml", options).size() == 1);
}
