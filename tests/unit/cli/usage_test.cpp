#include "cli/usage.hpp"

#include "cli/cli.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

struct Tree {
  CLI::App app;
  Global global;
  Tree() {
    build_root(app, global);
    auto* group = add_group(app, "sample", "A group");
    auto* verb = add_verb(*group, "resolve", "A verb", {"weft sample resolve x"});
    verb->add_option("id", id)->required();
    on_run(*verb, global, [] { return 7; });
  }
  /// What is said about a command line that is wrong.
  std::string refusal(const std::string& line) {
    try {
      app.parse(line, true);
    } catch (const CLI::ParseError& problem) {
      const CLI::App* where = &app;
      while (!where->get_subcommands().empty()) where = where->get_subcommands().front();
      return usage_message(*where, problem);
    }
    return "";
  }
  std::string id;
};

}  // namespace

TEST_CASE_METHOD(Tree, "an unknown verb is told with the nearest known one") {
  REQUIRE(refusal("weft versoin") == "'weft' has no verb 'versoin', did you mean 'version'?");
}

TEST_CASE_METHOD(Tree, "an unknown verb of a group is told with the group") {
  REQUIRE(refusal("weft sample resolv") == "'weft sample' has no verb 'resolv', did you mean 'resolve'?");
}

TEST_CASE_METHOD(Tree, "an unknown flag is told with the nearest known one, those of the root included") {
  REQUIRE(refusal("weft sample resolve x --jsn") == "unknown flag '--jsn', did you mean '--json'?");
}

TEST_CASE_METHOD(Tree, "a word too many is told") {
  REQUIRE(refusal("weft sample resolve x y") == "'weft sample resolve' takes no further word, got 'y'");
}

TEST_CASE_METHOD(Tree, "a missing argument is told") { REQUIRE(refusal("weft sample resolve") == "id is required"); }

TEST_CASE_METHOD(Tree, "a duration without unit is refused") {
  REQUIRE(refusal("weft --timeout 5 version").find("'5' is no duration") != std::string::npos);
}

TEST_CASE_METHOD(Tree, "global options may stand after the verb") {
  REQUIRE(refusal("weft sample resolve x --json --timeout 250ms --registry tcp://h:1") == "");
  REQUIRE(global.json);
  REQUIRE(global.timeout == 250ms);
  REQUIRE(global.registry == "tcp://h:1");
  REQUIRE(id == "x");
  REQUIRE(global.action() == 7);
}

TEST_CASE_METHOD(Tree, "an argument that is spelled like a verb is an argument") {
  REQUIRE(refusal("weft sample resolve version") == "");
  REQUIRE(id == "version");
}

TEST_CASE_METHOD(Tree, "the help of every verb ends with examples that name it") {
  const std::function<void(const CLI::App&)> check = [&](const CLI::App& at) {
    const auto verbs = at.get_subcommands([](const CLI::App*) { return true; });
    for (const auto* verb : verbs) check(*verb);
    if (!verbs.empty()) return;
    INFO(path_of(at));
    const auto help = at.help();
    const auto examples = help.find("Examples:\n");
    REQUIRE(examples != std::string::npos);
    REQUIRE(help.find(path_of(at), examples) != std::string::npos);
  };
  check(app);
}

TEST_CASE_METHOD(Tree, "the help of a group ends with an example of each of its verbs") {
  const auto help = app.get_subcommand("sample")->help();
  const auto examples = help.find("Examples:\n");
  REQUIRE(examples != std::string::npos);
  REQUIRE(help.substr(examples) == "Examples:\n  weft sample resolve x\n");
}

TEST_CASE_METHOD(Tree, "the help says what holds when an option is left out, and its bounds are kept") {
  std::uint64_t count = 7;
  Duration pause = 250ms;
  auto* verb = add_verb(app, "number", "A verb", {"weft number"});
  add_number(*verb, "--count", count, {1, 9}, "How often");
  add_duration(*verb, "--pause", pause, "Between two");
  const auto help = verb->help();
  REQUIRE(help.find("--count N ") != std::string::npos);
  REQUIRE(help.find("How often (7)") != std::string::npos);
  REQUIRE(help.find("Between two (250ms)") != std::string::npos);
  REQUIRE(refusal("weft number --count 9") == "");
  REQUIRE(count == 9);
  REQUIRE(refusal("weft number --count 10").find("not in range 1 to 9") != std::string::npos);
}

TEST_CASE("a command line that was not understood still says that it wants JSON") {
  const char* asks[] = {"weft", "nonsense", "-j"};
  const char* asks_not[] = {"weft", "call", "--", "--json"};
  REQUIRE(asks_for_json(3, asks));
  REQUIRE_FALSE(asks_for_json(4, asks_not));
}
