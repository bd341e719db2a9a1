// Suite of cli/cli11.cpp: command lines parsed against the whole tree and a sample verb.
#include "cli/command_line.hpp"

#include "cli/cli.hpp"
#include "cli/usage.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

std::vector<std::string> words_in(const std::string& line) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at <= line.size();) {
    const auto end = std::min(line.find(' ', at), line.size());
    if (end > at) words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

struct Tree {
  Global global;
  std::string id, kind = "new";
  std::vector<std::string> sets, addresses, ids;
  std::uint64_t count = 7, end = 0;
  double rate = 0;
  bool detach = false, count_given = false;
  Duration pause = 250ms, since{};
  Verb root = root_verb(global);

  Tree() {
    Verb resolve{.name = "resolve",
                 .summary = "A verb",
                 .examples = {"weft sample resolve x"},
                 .options = {text("id", id, "ID", "The id").required()},
                 .run = [](const Global&) { return 7; },
                 .alias = "mend"};
    Verb many{.name = "many",
              .summary = "Another verb",
              .examples = {"weft sample many"},
              .options = {texts("ids", ids, "ID", "Ids"), flag("--detach,-d", detach, "Detach"),
                          choice("--kind", kind, "new,old", "KIND", "Which"), texts("--set", sets, "KEY=VALUE", "Sets"),
                          texts("--address", addresses, "ADDRESS", "Addresses").several_words(),
                          number("--count", count, {1, 9}, "How often").noting(count_given),
                          number("-n,--end", end, "The end"), real("--rate", rate, {0.5, 2}, "The rate"),
                          duration("--pause", pause, "Between two"), duration("--since", since, "Since")},
              .run = [](const Global&) { return kDone; }};
    root.verbs.push_back({.name = "sample", .summary = "A group", .verbs = {resolve, many}});
  }

  CommandLine understood(const std::string& line) {
    const auto words = words_in(line);
    std::vector<const char*> argv;
    for (const auto& word : words) argv.push_back(word.c_str());
    return parse(root, "weft 1.2.3", static_cast<int>(argv.size()), argv.data());
  }
  /// What is wrong with a command line; empty: nothing.
  std::string refusal(const std::string& line) {
    const auto parsed = understood(line);
    return parsed.mistake ? parsed.mistake->message : "";
  }
};

}  // namespace

TEST_CASE_METHOD(Tree, "an unknown verb is told with the nearest known one") {
  REQUIRE(refusal("weft versoin") == "'weft' has no verb 'versoin', did you mean 'version'?");
}

TEST_CASE_METHOD(Tree, "an unknown verb of a group is told with the group") {
  const auto parsed = understood("weft sample resolv");
  REQUIRE(parsed.mistake.has_value());
  REQUIRE(parsed.mistake->message == "'weft sample' has no verb 'resolv', did you mean 'resolve'?");
  REQUIRE(parsed.mistake->hint == "try 'weft sample --help'");
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
  const auto parsed = understood("weft sample resolve x --json --timeout 250ms --registry tcp://h:1");
  REQUIRE_FALSE(parsed.mistake.has_value());
  REQUIRE(global.json);
  REQUIRE(global.timeout == 250ms);
  REQUIRE(global.registry == "tcp://h:1");
  REQUIRE(id == "x");
  REQUIRE(parsed.verb().run(global) == 7);
}

TEST_CASE_METHOD(Tree, "global options may stand before the verb") {
  REQUIRE(refusal("weft -jq sample resolve x") == "");
  REQUIRE(global.json);
  REQUIRE(global.quiet);
}

TEST_CASE_METHOD(Tree, "an argument that is spelled like a verb is an argument") {
  REQUIRE(refusal("weft sample resolve version") == "");
  REQUIRE(id == "version");
}

TEST_CASE_METHOD(Tree, "a verb is understood by its alias") {
  REQUIRE(understood("weft sample mend x").verb().name == "resolve");
}

TEST_CASE_METHOD(Tree, "an option that was left out takes the value of its variable") {
  ::setenv("WEFT_REGISTRY", "tcp://from-environment:1", 1);
  REQUIRE(refusal("weft version") == "");
  ::unsetenv("WEFT_REGISTRY");
  REQUIRE(global.registry == "tcp://from-environment:1");
}

TEST_CASE_METHOD(Tree, "values go where the options point, each by its kind") {
  REQUIRE(refusal("weft sample many a b -d --kind old --count 9 -n 12 --rate 1.5 --pause 2s --set k=v --set l=w") ==
          "");
  REQUIRE(ids == std::vector<std::string>{"a", "b"});
  REQUIRE(detach);
  REQUIRE(kind == "old");
  REQUIRE(count == 9);
  REQUIRE(count_given);
  REQUIRE(end == 12);
  REQUIRE(rate == 1.5);
  REQUIRE(pause == 2s);
  REQUIRE(sets == std::vector<std::string>{"k=v", "l=w"});
}

TEST_CASE_METHOD(Tree, "what is left out keeps its default, and is noted as not given") {
  REQUIRE(refusal("weft sample many") == "");
  REQUIRE(count == 7);
  REQUIRE_FALSE(count_given);
  REQUIRE(kind == "new");
}

TEST_CASE_METHOD(Tree, "an option of one word for each mention leaves the next word to the arguments") {
  REQUIRE(refusal("weft sample many --set k=v a --address x y") == "");
  REQUIRE(sets == std::vector<std::string>{"k=v"});
  REQUIRE(ids == std::vector<std::string>{"a"});
  REQUIRE(addresses == std::vector<std::string>{"x", "y"});
}

TEST_CASE_METHOD(Tree, "a value that is none of the choices, or out of bounds, is refused") {
  REQUIRE(refusal("weft sample many --kind older").find("older not in {new,old}") != std::string::npos);
  REQUIRE(refusal("weft sample many --count 10").find("not in range 1 to 9") != std::string::npos);
  REQUIRE(refusal("weft sample many --count -1") != "");
  REQUIRE(refusal("weft sample many --end -1").find("not in range") != std::string::npos);
  REQUIRE(refusal("weft sample many --rate 3") != "");
}

TEST_CASE_METHOD(Tree, "the help says what holds when an option is left out") {
  const auto parsed = understood("weft sample many --help");
  REQUIRE(parsed.asks_for_text);
  REQUIRE(parsed.help.find("--count N ") != std::string::npos);
  REQUIRE(parsed.help.find("How often (7)") != std::string::npos);
  REQUIRE(parsed.help.find("Between two (250ms)") != std::string::npos);
  REQUIRE(parsed.help.find("Since (") == std::string::npos);
}

TEST_CASE_METHOD(Tree, "the version is printed when it is asked for") {
  const auto parsed = understood("weft --version");
  REQUIRE(parsed.asks_for_text);
  REQUIRE(parsed.help == "weft 1.2.3\n");
}

TEST_CASE_METHOD(Tree, "a group without a verb has its help to show, and nothing to run") {
  const auto parsed = understood("weft sample");
  REQUIRE_FALSE(parsed.asks_for_text);
  REQUIRE_FALSE(parsed.verb().run);
  REQUIRE(parsed.help.find("weft sample ") != std::string::npos);
}

TEST_CASE_METHOD(Tree, "the help of every verb ends with examples that name it") {
  const std::function<void(const Path&)> check = [&](const Path& path) {
    for (const auto& verb : path.back()->verbs) {
      Path longer = path;
      longer.push_back(&verb);
      check(longer);
    }
    if (!path.back()->verbs.empty()) return;
    INFO(path_of(path));
    const auto help = understood(path_of(path) + " --help").help;
    const auto examples = help.find("Examples:\n");
    REQUIRE(examples != std::string::npos);
    REQUIRE(help.find(path_of(path), examples) != std::string::npos);
  };
  check({&root});
}

TEST_CASE_METHOD(Tree, "the help of a group ends with an example of each of its verbs") {
  const auto help = understood("weft sample --help").help;
  const auto examples = help.find("Examples:\n");
  REQUIRE(examples != std::string::npos);
  REQUIRE(help.substr(examples) == "Examples:\n  weft sample resolve x\n  weft sample many\n");
}

TEST_CASE_METHOD(Tree, "every verb either runs or has verbs") {
  const std::function<void(const Verb&)> check = [&](const Verb& verb) {
    INFO(verb.name);
    REQUIRE(verb.verbs.empty() == static_cast<bool>(verb.run));
    for (const auto& below : verb.verbs) check(below);
  };
  check(root);
}
