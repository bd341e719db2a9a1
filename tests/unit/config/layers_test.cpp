// Where layers come from: files, variables, --set; agents' schemas and defaults.
#include "tests/unit/config/load_fixture.hpp"

using namespace weft;
using namespace weft::config;
using Fixture = test::LoadFixture;

TEST_CASE_METHOD(Fixture, "a directory that does not exist is a mistake; none at all is fine") {
  options.directory = dir / "nowhere";
  REQUIRE(mistakes() == "nowhere: the configuration directory does not exist\n");
  options.directory.clear();
  REQUIRE(good().get<std::string>("mesh.name") == "weft");
}

TEST_CASE_METHOD(Fixture, "an environment that is named must exist; hosts and agents need no file") {
  dir.write("env/demo.yaml", "");
  options.environment = "dmo";
  REQUIRE(mistakes() == "env/dmo.yaml: does not exist, did you mean 'demo'? (the environment 'dmo' was asked for)\n");
  options.environment = "demo";
  options.host = "nobody";
  options.agent = "nothing";
  good();
}

TEST_CASE_METHOD(Fixture, "names that would leave the directory are refused") {
  dir.write("base.yaml", "");
  options.environment = "../base";
  options.host = "a/b";
  options.agent = "..";
  const std::string text = mistakes();
  REQUIRE(text.find("environment") != text.npos);
  REQUIRE(text.find("host") != text.npos);
  REQUIRE(text.find("agent") != text.npos);
}

TEST_CASE_METHOD(Fixture, "a layer that is no map is told") {
  dir.write("base.yaml", "- log\n");
  REQUIRE(mistakes() == "base.yaml:1:1: wanted a map of sections, got a list of 1 item\n");
  dir.write("base.yaml", "hello\n");
  REQUIRE(mistakes() == "base.yaml:1:1: wanted a map of sections, got text that is not shown\n");
}

TEST_CASE_METHOD(Fixture, "a layer that cannot be read is told") {
  dir.write("base.yaml/inner", "");
  REQUIRE(mistakes().find("base.yaml: cannot be") == 0);
}

TEST_CASE_METHOD(Fixture, "variables are typed as YAML, and stay text where text is wanted") {
  options.variables = {{"WEFT__REGISTRY__PEERS", "[tcp://a:1, 'tcp://b:2']"},
                       {"WEFT__ADMIN__PORT", "0x10"},
                       {"WEFT__MESH__NAME", "007"},
                       {"WEFT__STATE__DIRECTORY", "*not: yaml: ["},
                       {"WEFT__REGISTRY__STORE__KIND", "memory"},
                       {"PATH", "/bin"}};
  const Config config = good();
  REQUIRE(config.at("registry.peers").as_list().size() == 2);
  REQUIRE(config.get<int>("admin.port") == 16);
  REQUIRE(config.get<std::string>("mesh.name") == "007");
  REQUIRE(config.get<std::string>("state.directory") == "*not: yaml: [");
  REQUIRE(config.origin("registry.store.kind").where() == "WEFT__REGISTRY__STORE__KIND");
  REQUIRE(config.warnings().empty());
}

TEST_CASE_METHOD(Fixture, "variables that are wrong are told by their name") {
  options.variables = {{"WEFT__", "x"},           {"WEFT__A____B", "x"},  {"WEFT__ADMIN__PORT", "[1"},
                       {"WEFT__ADMIN__PRT", "1"}, {"WEFT__LOG", "debug"}, {"WEFT__LIMITS__PENDING_MAX", "0"}};
  REQUIRE(mistakes() ==
          "WEFT__: wanted a name such as WEFT__LOG__LEVEL: keys joined by two underscores\n"
          "WEFT__ADMIN__PORT: admin.port: not YAML: a '[' before it has no ']'\n"
          "WEFT__ADMIN__PRT: admin.prt: unknown key, did you mean 'port'?\n"
          "WEFT__A____B: wanted a name such as WEFT__LOG__LEVEL: keys joined by two underscores\n"
          "WEFT__LIMITS__PENDING_MAX: limits.pending_max: wanted an integer from 1 to 10000000, got 0\n"
          "WEFT__LOG: log: wanted a map, got text 'debug'\n");
}

TEST_CASE_METHOD(Fixture, "a value that should be a list says how one is written, outside of files") {
  options.variables = {{"WEFT__REGISTRY__PEERS", "tcp://10.0.0.2:7411"}};
  options.sets = {"registry.addresses=tcp://a:1,tcp://b:2"};
  REQUIRE(mistakes() ==
          "WEFT__REGISTRY__PEERS: registry.peers: wanted a list of at most 256 items, got text 'tcp://10.0.0.2:7411'; "
          "a list is written [a, b]\n"
          "--set registry.addresses=tcp://a:1,tcp://b:2: registry.addresses: wanted a list of 1 to 64 items, got text "
          "'tcp://a:1,tcp://b:2'; a list is written [a, b]\n");
  options.variables.clear();
  options.sets.clear();
  dir.write("base.yaml", "registry: {peers: x}\n");
  REQUIRE(mistakes() == "base.yaml:1:19: registry.peers: wanted a list of at most 256 items, got text 'x'\n");
}

TEST_CASE_METHOD(Fixture,
                 "sections named x-… hold anchors: they are not checked, and are not part of the configuration") {
  dir.write("base.yaml",
            "x-slow: &slow\n  timeout: 30s\n  balance: hash\nx-other: 5\n"
            "mesh:\n  policies:\n    a: {<<: *slow}\n    b:\n      <<: *slow\n      timeout: 1s\n");
  const Config config = good();
  REQUIRE(config.at("x-slow").is_null());
  REQUIRE(config.get<std::string>("mesh.policies.a.timeout") == "30s");
  REQUIRE(config.origin("mesh.policies.a.timeout").where() == dir / "base.yaml" + ":2:12");
  REQUIRE(config.get<std::string>("mesh.policies.b.timeout") == "1s");
  REQUIRE(config.origin("mesh.policies.b.timeout").where() == dir / "base.yaml" + ":10:16");
  REQUIRE(config.origin("mesh.policies.b.balance").where() == dir / "base.yaml" + ":3:12");
  dir.write("base.yaml", "x-slow: &slow {timeot: 30s}\nmesh: {policies: {a: {<<: *slow}}, x-slow: 1}\n");
  REQUIRE(mistakes() ==
          "base.yaml:1:16: mesh.policies.a.timeot: unknown key, did you mean 'timeout'?\n"
          "base.yaml:2:36: mesh.x-slow: unknown key; known here: name, policies\n");
}

TEST_CASE_METHOD(Fixture, "a WEFT_ variable that means nothing is a warning with the nearest name") {
  options.variables = {{"WEFT_REGISTRI", "x"}, {"WEFT_ENV", "demo"}, {"WEFTISH", "x"}};
  REQUIRE(good().warnings() ==
          std::vector<std::string>{"unknown variable WEFT_REGISTRI, did you mean 'WEFT_REGISTRY'?"});
}

TEST_CASE_METHOD(Fixture, "--set takes a key and a value, and the last one wins") {
  options.sets = {"log.level=debug", "log.level=warn", "registry.peers=[]", "mesh.name=a=b", "agent.deep.er={x: 1}"};
  REQUIRE(mistakes().find("--set mesh.name=a=b: mesh.name: wanted a name") == 0);
  options.sets[3] = "mesh.name=ab";
  const Config config = good();
  REQUIRE(config.get<std::string>("log.level") == "warn");
  REQUIRE(config.get<int>("agent.deep.er.x") == 1);
  options.sets = {"", "=", ".=1", "a..b=1", "log.level"};
  const std::string text = mistakes();
  REQUIRE(std::count(text.begin(), text.end(), '\n') == 4);  // "=" and "" read alike but for their flag
}

TEST_CASE_METHOD(Fixture, "the agent's section is checked against its schema file, whose defaults hold") {
  options.agent = "echo";
  dir.write("schema/agents/echo.yaml",
            "type: object\nadditionalProperties: false\nproperties:\n  greeting: {type: string, default: hello}\n"
            "  times: {type: integer, minimum: 1, default: 1}\n");
  options.agent_schema = R"({"type": "object", "additionalProperties": false})";
  REQUIRE(good().get<std::string>("agent.greeting") == "hello");
  REQUIRE(good().origin("agent.greeting").layer == "default");
  options.defaults = "agent: {greeting: hi}";
  REQUIRE(good().get<std::string>("agent.greeting") == "hi");
  dir.write("agents/echo.yaml", "agent:\n  greting: x\n  times: 0\n");
  REQUIRE(mistakes() ==
          "agents/echo.yaml:2:3: agent.greting: unknown key, did you mean 'greeting'?\n"
          "agents/echo.yaml:3:10: agent.times: wanted an integer of at least 1, got 0\n");
  options.agent = "other";
  options.defaults.clear();
  dir.write("agents/other.yaml", "agent: {x: 1}");
  REQUIRE(mistakes().find("agents/other.yaml:1:9: agent.x: unknown key") == 0);
  options.agent_schema.clear();
  REQUIRE(good().get<int>("agent.x") == 1);
}

TEST_CASE_METHOD(Fixture, "an agent's schema that is none is a mistake of its own") {
  options.agent = "echo";
  options.agent_schema = "{\"type\": 5}";
  REQUIRE(mistakes().find("schema of agent echo: agent: is no JSON schema: ") == 0);
  options.agent_schema = "not: [yaml";
  REQUIRE(mistakes().find("schema of agent echo: agent: ") == 0);
  dir.write("schema/agents/echo.yaml", "type: object\n  bad\n");
  REQUIRE(mistakes().find("schema/agents/echo.yaml:") == 0);
}

TEST_CASE_METHOD(Fixture, "built-in defaults that a program brings are told when they are wrong") {
  options.defaults = "admin: {port: -1}\n";
  REQUIRE(mistakes() == "built-in default: admin.port: wanted an integer from 0 to 65535, got -1\n");
}
