// What a loaded configuration answers: values, history, secrets, hash.
#include <cstdlib>

#include "tests/unit/config/load_fixture.hpp"

using namespace weft;
using namespace weft::config;

namespace {

struct SecretFixture : test::LoadFixture {
  SecretFixture() {
    options.agent = "bot";
    options.agent_schema =
        R"({"type": "object", "properties": {"token": {"type": "string", "x-secret": true},)"
        R"( "keys": {"type": "array", "items": {"type": "string", "x-secret": true}}, "id": {"type": "integer"}}})";
  }
  void set(const std::string& yaml) { dir.write("agents/bot.yaml", "agent:\n  " + yaml + "\n"); }
};

}  // namespace

TEST_CASE_METHOD(SecretFixture, "a secret is read from a file, without its last newline") {
  dir.write("token", "s3cret\n");
  set("token: file:" + (dir / "token"));
  REQUIRE(good().secret("agent.token").value() == "s3cret");
  dir.write("token", "two\n\n");
  REQUIRE(good().secret("agent.token").value() == "two\n");
  dir.write("token", "");
  REQUIRE(good().secret("agent.token").value().empty());
}

TEST_CASE_METHOD(SecretFixture, "a secret is read from a variable") {
  set("token: env:WEFT_TEST_SECRET");
  ::unsetenv("WEFT_TEST_SECRET");
  REQUIRE(good().secret("agent.token").error().is(codes::missing_secret));
  REQUIRE(good().secret("agent.token").error().message == "agent.token: the variable WEFT_TEST_SECRET is not set");
  ::setenv("WEFT_TEST_SECRET", "from env", 1);
  REQUIRE(good().secret("agent.token").value() == "from env");
  ::unsetenv("WEFT_TEST_SECRET");
}

TEST_CASE_METHOD(SecretFixture, "a secret that is not set, whose file is away, or is too large, is missing") {
  REQUIRE(good().secret("agent.token").error().is(codes::missing_secret));
  REQUIRE(good().secret("no.such").error().is(codes::missing_secret));
  set("token: file:" + (dir / "none"));
  REQUIRE(good().secret("agent.token").error().message.find("cannot be read") != std::string::npos);
  set("token: file:" + dir.path());
  REQUIRE_FALSE(good().secret("agent.token"));
  dir.write("large", std::string(64 * 1024 + 1, 'x'));
  set("token: file:" + (dir / "large"));
  REQUIRE(good().secret("agent.token").error().message.find("larger than 64 KiB") != std::string::npos);
}

TEST_CASE_METHOD(SecretFixture, "plain text where a secret belongs is a mistake that does not show it") {
  set("token: hunter2");
  REQUIRE(mistakes() ==
          "agents/bot.yaml:2:10: agent.token: wanted a reference file:/path or env:NAME, got plain text, which is not "
          "shown\n");
  set("keys: [env:A, hunter2]");
  REQUIRE(mistakes().find("agents/bot.yaml:2:17: agent.keys[1]: wanted a reference") == 0);
  for (const char* text :
       {"token: 12345", "token: [hunter2]", "token: true", "token: 'file:'", "token: {hunter2: x}"}) {
    INFO(text);
    set(text);
    REQUIRE_FALSE(mistakes().empty());
    REQUIRE(mistakes().find("hunter2") == std::string::npos);
    REQUIRE(mistakes().find("12345") == std::string::npos);
  }
  set("id: 1");
  options.sets = {"agent.token=hunter2", "agent.tokn=hunter2", "agent.id=x"};
  REQUIRE(mistakes().find("hunter2") == std::string::npos);
  REQUIRE(mistakes().find("--set agent.id=x") != std::string::npos);
}

TEST_CASE_METHOD(SecretFixture, "references are shown, and plain text that a later layer replaced is not") {
  dir.write("base.yaml", "agent: {token: hunter2, keys: [hunter2, env:K]}\n");
  set("token: env:TOKEN\n  keys: [env:A]");
  REQUIRE(mistakes().find("base.yaml:1:16: agent.token: wanted a reference") == 0);
  REQUIRE(mistakes().find("hunter2") == std::string::npos);
  dir.write("base.yaml", "agent: {token: env:OLD}\n");
  const Config config = good();
  REQUIRE(to_json(config.redacted()["agent"]) == R"({"keys":["env:A"],"token":"env:TOKEN"})");
  REQUIRE(config.explain("agent.token").size() == 2);
}

TEST_CASE_METHOD(test::LoadFixture, "a value that is absent or of another type is a bug, and says where") {
  const Config config = good();
  REQUIRE(config.at("no.such.key").is_null());
  REQUIRE(config.explain("no.such.key").empty());
  REQUIRE(config.explain("log").empty());
  REQUIRE_THROWS_AS(config.get<int>("log.level"), std::logic_error);
  REQUIRE_THROWS_WITH(config.get<std::string>("no.such.key"), Catch::Contains("no.such.key"));
}

TEST_CASE_METHOD(test::LoadFixture, "the hash is over the effective values and nothing else") {
  const std::string first = good().hash();
  REQUIRE(first.size() == 16);
  REQUIRE(first.find_first_not_of("0123456789abcdef") == first.npos);
  dir.write("base.yaml", "# a comment\nlog:\n    level: info\n");
  REQUIRE(good().hash() == first);
  options.sets = {"log.level=debug"};
  REQUIRE(good().hash() != first);
  options.variables = {{"WEFT__LOG__LEVEL", "warn"}};
  options.sets = {"log.level=info"};
  REQUIRE(good().hash() == first);
}

TEST_CASE_METHOD(test::LoadFixture, "history forgets what a value of another shape has replaced") {
  options.agent = "x";
  options.defaults = "agent: {a: {b: 1}, c: 2}";
  dir.write("base.yaml", "agent: {a: 5, c: {d: 3}}\n");
  const Config config = good();
  REQUIRE(config.explain("agent.a.b").empty());
  REQUIRE(config.explain("agent.a").size() == 1);
  REQUIRE(config.explain("agent.c").empty());
  REQUIRE(config.origin("agent.c.d").layer == "base");
}

TEST_CASE("origins read as a person would write them") {
  REQUIRE(Origin{"base", "b.yaml", 3, 4}.where() == "b.yaml:3:4");
  REQUIRE(Origin{"environment", "WEFT__A", 0, 0}.where() == "WEFT__A");
  REQUIRE(Origin{"default", "", 0, 0}.where() == "built-in default");
  REQUIRE(Origin{}.where() == "built-in default");
  REQUIRE(Mistake{{"base", "b.yaml", 1, 2}, "", "bad"}.describe() == "b.yaml:1:2: bad");
}

TEST_CASE_METHOD(test::LoadFixture, "the configuration directory that is told goes first, then the variable") {
  REQUIRE(find_directory("told") == "told");
  ::setenv("WEFT_CONFIG_DIR", "/from/variable", 1);
  REQUIRE(find_directory("") == "/from/variable");
  ::unsetenv("WEFT_CONFIG_DIR");
  ::setenv("XDG_CONFIG_HOME", dir.path().c_str(), 1);
  dir.write("weft/base.yaml", "");
  const std::string found = find_directory("");
  REQUIRE((found == "config" || found == dir / "weft"));  // "config" where the test runs at the root of the tree
  ::unsetenv("XDG_CONFIG_HOME");
}

TEST_CASE_METHOD(test::LoadFixture, "directories that nobody sets follow from the names of mesh and host") {
  ::setenv("XDG_STATE_HOME", "/srv/state", 1);
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  dir.write("base.yaml", "mesh: {name: lab}\n");
  CHECK(good().at("state.directory") == Value("/srv/state/weft/lab/alpha"));
  CHECK(good().at("run.directory") == Value("/run/user/7/weft/lab-alpha"));
  CHECK(good().origin("run.directory").where() == "built-in default");
  ::setenv("XDG_RUNTIME_DIR", ("/" + std::string(80, 'x')).c_str(), 1);
  CHECK(good().at("run.directory") == Value(""));
  dir.write("base.yaml", "state: {directory: /elsewhere}\nrun: {directory: /r}\n");
  CHECK(good().at("state.directory") == Value("/elsewhere"));
  CHECK(good().at("run.directory") == Value("/r"));
  dir.write("base.yaml", "state: 3\nmesh: [1]\n");
  CHECK(load(options).mistakes().size() == 2);
  ::unsetenv("XDG_STATE_HOME");
  ::unsetenv("XDG_RUNTIME_DIR");
}
