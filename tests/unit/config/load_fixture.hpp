// A configuration directory of a test's own, and what load() says about it.
#pragma once
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "weft/config/config.hpp"

namespace weft::test {

using namespace weft::config;

struct LoadFixture {
  TempDir dir;
  LoadOptions options{.directory = dir.path(),
                      .environment = "",
                      .host = "alpha",
                      .agent = "",
                      .variables = {},
                      .sets = {},
                      .agent_schema = "",
                      .defaults = ""};
  Config good() const {
    auto loaded = load(options);
    for (const auto& mistake : loaded.mistakes()) UNSCOPED_INFO(mistake.describe());
    REQUIRE(loaded.ok());
    return loaded.config();
  }
  /// Each mistake in a line, without the folder.
  std::string mistakes() const {
    std::string text;
    for (const auto& mistake : load(options).mistakes()) text += mistake.describe() + "\n";
    for (auto at = text.find(dir.path()); at != text.npos; at = text.find(dir.path()))
      text.erase(at, dir.path().size() + 1);
    return text;
  }
};

}  // namespace weft::test
