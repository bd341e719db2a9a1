#include "node/claims.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/node/fake_launcher.hpp"

using namespace weft;
using namespace weft::node;

namespace {
const auto kToday = wall_from_us(1'800'000'000'000'000), kBoot = wall_from_us(3'000'000);  // of a board without a clock
const std::uint64_t kTerm = 1'800'000'000ULL << 24U;
}  // namespace

TEST_CASE("claims grow within a term, and over a restart of the node with the clock set back") {
  const weft::test::TempDir folder;
  auto first = Claims::begin(folder / "claims", kToday);
  REQUIRE(first);
  CHECK(first->next() == kTerm + 1);
  CHECK(first->next() == kTerm + 2);
  for (const auto clock : {kBoot, kToday, kBoot}) {
    const auto before = first->next();
    first = Claims::begin(folder / "claims", clock);
    REQUIRE(first);
    CHECK(first->next() > before);
  }
  CHECK(first->next() < kTerm + (4ULL << 24U));  // one term a start
}

TEST_CASE("a file of claims that is damaged counts as missing, and is replaced") {
  const weft::test::TempDir folder;
  for (const auto* damage : {"", "x", "18x", "-7", "99999999999999999999", "4294967295"}) {
    folder.write("claims", damage);
    auto claims = Claims::begin(folder / "claims", kToday);
    REQUIRE(claims);
    CHECK(claims->next() == kTerm + 1);
    CHECK(Claims::begin(folder / "claims", kBoot)->next() == kTerm + (1ULL << 24U) + 1);
  }
}

TEST_CASE("where the file cannot be written there is no term") {
  const weft::test::TempDir folder;
  CHECK(Claims::begin(folder / "nosuch/claims", kToday).error().is(codes::io_failed));
}

TEST_CASE("each process that is launched gets a claim of its own in its environment") {
  struct Recorder final : Launcher {
    Result<std::unique_ptr<Process>> launch(const Command& command, OnExit) override {
      environments.push_back(command.env);
      return Error(codes::start_failed, "only looks");
    }
    Result<std::unique_ptr<Process>> adopt(ProcessId, OnExit) override { return Error(codes::start_failed, "never"); }
    std::vector<std::vector<std::string>> environments;
  } recorder;
  const weft::test::TempDir folder;
  auto claims = Claims::begin(folder / "claims", kToday);
  REQUIRE(claims);
  ClaimingLauncher launcher(recorder, *claims);
  Command command;
  command.env = {"A=b"};
  (void)launcher.launch(command, {});
  (void)launcher.launch(command, {});
  CHECK(recorder.environments[0] == std::vector<std::string>{"A=b", "WEFT_CLAIM=" + std::to_string(kTerm + 1)});
  CHECK(recorder.environments[1] == std::vector<std::string>{"A=b", "WEFT_CLAIM=" + std::to_string(kTerm + 2)});
}
