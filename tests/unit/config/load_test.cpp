// load(): layers, their order, their history, and all mistakes at once.
#include "tests/unit/config/load_fixture.hpp"

using namespace weft;
using namespace weft::config;

using Fixture = test::LoadFixture;

TEST_CASE_METHOD(Fixture, "without any layer the built-in defaults hold") {
  const Config config = good();
  REQUIRE(config.get<std::string>("mesh.name") == "weft");
  REQUIRE(config.get<Duration>("registry.lease") == std::chrono::seconds(3));
  REQUIRE(config.get<int>("admin.port") == 0);
  REQUIRE(config.at("agent").is_map());
  REQUIRE(config.origin("registry.lease").where() == "built-in default");
}

TEST_CASE_METHOD(Fixture, "the host is called what --host says, unless a layer says otherwise") {
  REQUIRE(good().get<std::string>("host.name") == "alpha");
  dir.write("hosts/alpha.yaml", "host: {name: first}");
  REQUIRE(good().get<std::string>("host.name") == "first");
  options.host.clear();
  REQUIRE_FALSE(good().get<std::string>("host.name").empty());
}

TEST_CASE_METHOD(Fixture, "each layer wins over those before it, and explain() tells them all") {
  dir.write("base.yaml", "log: {level: warn}\n");
  dir.write("env/demo.yaml", "log:\n  level: error\n");
  dir.write("hosts/alpha.yaml", "log:\n\n  level: fatal\n");
  dir.write("agents/echo.yaml", "log: {level: trace}\n");
  options.environment = "demo";
  options.agent = "echo";
  options.defaults = "log: {level: trace}";
  REQUIRE(good().get<std::string>("log.level") == "trace");
  options.variables = {{"WEFT__LOG__LEVEL", "info"}};
  REQUIRE(good().get<std::string>("log.level") == "info");
  options.sets = {"log.level=debug"};
  const Config config = good();
  REQUIRE(config.get<std::string>("log.level") == "debug");
  std::vector<std::string> layers;
  for (const auto& [origin, value] : config.explain("log.level"))
    layers.push_back(origin.layer + " " + value.as_string());
  REQUIRE(layers == std::vector<std::string>{"default info", "default trace", "base warn", "env error", "host fatal",
                                             "agent trace", "environment info", "command line debug"});
  REQUIRE(config.explain("log.level")[4].first.where() == (dir / "hosts/alpha.yaml") + ":3:10");
  REQUIRE(config.origin("log.level").where() == "--set log.level=debug");
}

TEST_CASE_METHOD(Fixture, "maps merge and lists replace") {
  dir.write("base.yaml", "registry: {peers: ['tcp://a:1', 'tcp://b:2'], port: 1}\n");
  dir.write("hosts/alpha.yaml", "registry: {peers: ['tcp://c:3']}\n");
  const Config config = good();
  REQUIRE(config.get<std::vector<std::string>>("registry.peers") == std::vector<std::string>{"tcp://c:3"});
  REQUIRE(config.get<int>("registry.port") == 1);
}

TEST_CASE_METHOD(Fixture, "a section without content says nothing") {
  dir.write("base.yaml", "log:\n  # level: debug\nregistry: {port: 5}\n");
  REQUIRE(good().get<std::string>("log.level") == "info");
}

TEST_CASE_METHOD(Fixture, "all mistakes of all layers are told at once, in order of layer and line, each once") {
  dir.write("base.yaml", "registry:\n  port: 70000\n  prot: 1\nlog: {level: inof}\n");
  dir.write("hosts/alpha.yaml", "admin: {port: 'x'}\nregistry: {lease: 3}\n");
  options.variables = {{"WEFT__LOG__LEVL", "debug"}};
  options.sets = {"nothing"};
  REQUIRE(mistakes() ==
          "base.yaml:2:9: registry.port: wanted an integer from 1 to 65535, got 70000\n"
          "base.yaml:3:3: registry.prot: unknown key, did you mean 'port'?\n"
          "base.yaml:4:14: log.level: wanted one of trace, debug, info, warn, error, fatal, got text 'inof', did "
          "you mean 'info'?\n"
          "hosts/alpha.yaml:1:15: admin.port: wanted an integer from 0 to 65535, got text 'x'\n"
          "hosts/alpha.yaml:2:19: registry.lease: wanted a duration such as 500ms or 2s, from 100ms to 1h, got 3 (it "
          "has no unit)\n"
          "WEFT__LOG__LEVL: log.levl: unknown key, did you mean 'level'?\n"
          "--set nothing: wanted --set key=value, such as --set log.level=debug\n");
}

TEST_CASE_METHOD(Fixture, "a file that is not YAML does not hide the mistakes of the others") {
  dir.write("base.yaml", "log: {level: nope}\nadmin: 5\n");
  dir.write("hosts/alpha.yaml", "admin:\n  port: 5: 6\n");
  const std::string text = mistakes();
  REQUIRE(text.find("base.yaml:1:14: log.level: wanted") != text.npos);
  REQUIRE(text.find("base.yaml:2:8: admin: wanted a map, got 5\n") != text.npos);
  REQUIRE(text.find("hosts/alpha.yaml:2:10: not YAML: ") != text.npos);
}
