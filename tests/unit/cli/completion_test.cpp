#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "cli/cli.hpp"
#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

/// What bash offers for the last of `words`.
std::string complete(const std::string& words) {
  Global global;
  Verb root = root_verb(global);
  Verb verb{.name = "resolve", .summary = "A verb", .examples = {"weft sample resolve"}, .alias = "mend"};
  root.verbs.push_back({.name = "sample", .summary = "A group", .verbs = {verb}});
  char path[] = "/tmp/weft-completion-XXXXXX";
  const int fd = ::mkstemp(path);
  REQUIRE(fd >= 0);
  std::ofstream(path) << bash_completion(root) << "COMP_WORDS=(" << words
                      << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_weft\necho \"${COMPREPLY[@]}\"\n";
  std::FILE* bash = ::popen((std::string("bash ") + path).c_str(), "r");
  REQUIRE(bash != nullptr);
  std::string said;
  for (int c = std::fgetc(bash); c != EOF; c = std::fgetc(bash)) said += static_cast<char>(c);
  REQUIRE(::pclose(bash) == 0);
  ::close(fd);
  ::unlink(path);
  return said;
}

}  // namespace

TEST_CASE("bash completes verbs of the root") { REQUIRE(complete("weft vers") == "version\n"); }
TEST_CASE("bash completes verbs of a group") { REQUIRE(complete("weft sample ''") == "resolve mend\n"); }
TEST_CASE("bash completes flags of a verb and of the root") {
  REQUIRE(complete("weft sample resolve --js") == "--json\n");
}
TEST_CASE("bash steps over flags and their values") {
  REQUIRE(complete("weft --timeout 3s -j sample res") == "resolve\n");
}
TEST_CASE("bash leaves the value of a flag alone") { REQUIRE(complete("weft --timeout v") == "\n"); }
TEST_CASE("bash completes an alias") { REQUIRE(complete("weft sample me") == "mend\n"); }
