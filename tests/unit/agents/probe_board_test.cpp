#include "agents/probe/board.hpp"

#include "tests/support/catch.hpp"
#include "weft/actor_test.hpp"

using namespace weft;
using namespace weft::probe;

namespace {
struct BoardOf {
  explicit BoardOf(std::vector<std::string> names) {
    std::vector<Target> targets(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) targets[i].name = names[i];
    Board::Tell tell = [this](std::uint32_t target, const Finding&, const std::optional<Change>& change) {
      told += std::to_string(target);
      if (change) told += change->to == State::up ? 'U' : 'D';
    };
    board = system.spawn<Board>(std::make_shared<const std::vector<Target>>(targets), "alpha", tell).value();
  }
  Finding see(std::uint32_t target, State state, std::string error = {}) {
    Board::Seen seen;
    seen.target = target;
    seen.state = state;
    seen.good = error.empty();
    seen.error = std::move(error);
    seen.took = 5ms;
    return system.answer(system.ask(board, std::move(seen))).value();
  }
  std::vector<TargetStatus> list() { return system.answer(system.ask(board, Board::List())).value(); }
  actor::TestSystem system;
  actor::Ref<Board> board;
  std::string told;
};
}  // namespace

TEST_CASE("a board without targets is empty") { CHECK(BoardOf({}).list().empty()); }

TEST_CASE("a target that nobody has checked is unknown") {
  const auto list = BoardOf({"a", "b"}).list();
  REQUIRE(list.size() == 2);
  CHECK(list[1].target == "b");
  CHECK(list[1].state == State::unknown);
  CHECK(list[1].checks == 0);
  CHECK(list[1].since_us == 0);
}

TEST_CASE("each check is counted for its target, with the last error and the time of the last change") {
  BoardOf board({"a", "b"});
  const auto finding = board.see(1, State::up);
  CHECK(finding.target == "b");
  CHECK(finding.host == "alpha");
  CHECK(finding.latency_ms == 5);
  board.system.advance(10s);
  board.see(1, State::up, "late");
  const auto list = board.list();
  CHECK(list[0].checks == 0);
  CHECK(list[1].checks == 2);
  CHECK(list[1].failures == 1);
  CHECK(list[1].last_error == "late");
  CHECK(list[1].since_us == finding.time_us);
  CHECK(list[1].checked_us == finding.time_us + 10'000'000);
}

TEST_CASE("who listens is told of every check, and of changes between known states only") {
  BoardOf board({"a", "b"});
  board.see(0, State::unknown, "no");
  board.see(0, State::up);
  board.see(0, State::unknown, "its actor was restarted");
  board.see(0, State::up);
  board.see(1, State::down, "no");
  board.see(0, State::unknown, "again");
  board.see(0, State::down, "gone");
  CHECK(board.told == "00U001D00D");
}
