#include "cli/context.hpp"

#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

Context context_of(const std::string& mesh, const std::string& host, int pid) {
  Context context;
  context.mesh = mesh;
  context.host = host;
  context.registry = "tcp://" + host + ":7411";
  context.pid = pid;
  return context;
}

bool odd_pids_live(int pid) { return pid % 2 == 1; }

}  // namespace

TEST_CASE("the only living node is the context") {
  const std::vector all{context_of("demo", "alpha", 2), context_of("demo", "beta", 3)};
  REQUIRE(choose_context(all, "", odd_pids_live)->host == "beta");
}

TEST_CASE("of several living nodes of one mesh the first is taken") {
  const std::vector all{context_of("demo", "alpha", 1), context_of("demo", "beta", 3)};
  REQUIRE(choose_context(all, "", odd_pids_live)->host == "alpha");
}

TEST_CASE("living nodes of several meshes must be told apart") {
  const std::vector all{context_of("demo", "alpha", 1), context_of("lab", "alpha", 3)};
  const auto context = choose_context(all, "", odd_pids_live);
  REQUIRE_FALSE(context);
  REQUIRE(context.error().is(codes::no_registry));
  REQUIRE(context.error().message.find("demo@alpha, lab@alpha") != std::string::npos);
  REQUIRE(context.error().hint.find("--context") != std::string::npos);
}

TEST_CASE("without any node the error says what to do") {
  const auto context = choose_context({}, "", odd_pids_live);
  REQUIRE_FALSE(context);
  REQUIRE(context.error().is(codes::no_registry));
  REQUIRE(context.error().hint.find("weft up") != std::string::npos);
}

TEST_CASE("a context is named by mesh and host, or by one of them") {
  const std::vector all{context_of("demo", "alpha", 2), context_of("lab", "beta", 3)};
  REQUIRE(choose_context(all, "demo@alpha", odd_pids_live)->mesh == "demo");  // also when its node is gone
  REQUIRE(choose_context(all, "lab", odd_pids_live)->host == "beta");
  REQUIRE(choose_context(all, "beta", odd_pids_live)->mesh == "lab");
  REQUIRE(choose_context(all, "gamma", odd_pids_live).error().hint.find("demo@alpha, lab@beta") != std::string::npos);
}

TEST_CASE("context files are read by name, and a bad one does not hide the others") {
  const test::TempDir folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(std::filesystem::path(folder.path()) / name) << text;
  };
  write("demo@beta.yaml", "mesh: demo\nhost: beta\nregistry: tcp://127.0.0.3:7411\npid: 12\n");
  write("demo@alpha.yaml", "mesh: demo\nhost: alpha\nregistry: tcp://127.0.0.2:7411\npid: 11\nlater: 1\n");
  write("broken.yaml", "mesh: [demo\n");
  write("empty.yaml", "");
  write("demo@gamma.yaml.tmp", "mesh: demo\n");
  std::vector<std::string> notices;
  const auto contexts = read_contexts(folder.path(), notices);
  REQUIRE(contexts.size() == 2);
  REQUIRE(contexts[0].name() == "demo@alpha");
  REQUIRE(contexts[0].registry == "tcp://127.0.0.2:7411");
  REQUIRE(contexts[1].pid == 12);
  REQUIRE(notices.size() == 2);
}

TEST_CASE("a folder that does not exist has no contexts") {
  std::vector<std::string> notices;
  REQUIRE(read_contexts("/nonexistent/weft", notices).empty());
  REQUIRE(notices.empty());
}

TEST_CASE("the endpoint of a registry may lack its scheme") {
  REQUIRE(registry_endpoint("10.0.0.1:7411") == std::string("tcp://10.0.0.1:7411"));
  REQUIRE(registry_endpoint("tcp://alpha:7411") == std::string("tcp://alpha:7411"));
  REQUIRE(registry_endpoint("ipc:///run/x") == std::string("ipc:///run/x"));
}

TEST_CASE("what is no endpoint of a registry is refused") {
  for (const auto* text : {"", "alpha", "tcp://", "tcp://:7411", "tcp://alpha:", "tcp://alpha:0", "tcp://alpha:70000",
                           "http://alpha:7410", "tcp://alpha:74a"}) {
    INFO(text);
    REQUIRE(registry_endpoint(text).error().is(codes::bad_usage));
  }
}
