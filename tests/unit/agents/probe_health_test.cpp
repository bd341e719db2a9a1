#include "agents/probe/health.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::probe;

namespace {
/// '+' a good answer, '-' a bad one; what each did: 'U' up, 'D' down, '.' nothing.
std::string run(std::int64_t rise, std::int64_t fall, const std::string& answers) {
  Standing standing(rise, fall);
  std::string told;
  for (const char answer : answers) {
    const auto change = standing.take(answer == '+');
    told += !change ? '.' : change->to == State::up ? 'U' : 'D';
  }
  return told;
}
}  // namespace

TEST_CASE("a target is up from its first good answer, and down after enough bad ones") {
  CHECK(run(2, 3, "+---") == "U..D");
  CHECK(run(2, 2, "--") == ".D");
  CHECK(run(1, 1, "+-+-") == "UDUD");
}

TEST_CASE("only answers in a row count") {
  CHECK(run(2, 2, "+-+-+--") == "U.....D");
  CHECK(run(3, 1, "-++-+++") == "D.....U");
}

TEST_CASE("a good answer before the first verdict makes it up") { CHECK(run(5, 3, "--+") == "..U"); }

TEST_CASE("states have names") {
  for (const auto state : {State::unknown, State::up, State::down})
    CHECK(from_text(to_string(state), std::type_identity<State>{}) == state);
  CHECK_FALSE(from_text("Up", std::type_identity<State>{}));
}
