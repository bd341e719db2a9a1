#include "cli/log_lines.hpp"

#include "tests/support/catch.hpp"

using namespace weft;
using namespace weft::cli;

namespace {

std::string json(const std::string& ts, const std::string& level, const std::string& msg,
                 const std::string& more = "") {
  return R"({"ts":"2026-11-20T08:00:)" + ts + R"(Z","level":")" + level + R"(","msg":")" + msg + '"' + more + "}\n";
}

std::vector<std::string> shown(const std::vector<LogLine>& lines, const LogFilter& filter) {
  std::vector<std::string> out;
  for (const auto& line : lines) {
    if (filter.shows(line)) out.push_back(line.raw);
  }
  return out;
}

}  // namespace

TEST_CASE("a line is columns of time, level, agent, text and the fields that other lines do not have") {
  LogReader reader("alpha", "digest");
  const auto lines =
      reader.read(json("00.123456", "warn", "slow disk",
                       R"(,"agent":"digest","instance":"01","host":"alpha","pid":7,"disk":"sda 1","ms":12)"));
  REQUIRE(lines.size() == 1);
  CHECK(log_columns(lines[0], false, 14) ==
        "2026-11-20 08:00:00.123  warn   digest@alpha    slow disk  disk=\"sda 1\"  ms=12");
  CHECK(log_columns(lines[0], true, 0) ==
        "2026-11-20 08:00:00.123  \x1b[33mwarn \x1b[0m  digest@alpha  slow disk  disk=\"sda 1\"  ms=12");
}

TEST_CASE("what is no JSON object is shown as it is, without what could drive the terminal") {
  LogReader reader("alpha", "plain");
  const auto lines = reader.read("Traceback \x1b[2J\n{\"half\": \n[1]\n");
  REQUIRE(lines.size() == 3);
  CHECK(log_columns(lines[0], true, 0) == std::string(32, ' ') + "plain@alpha  Traceback \\x1b[2J");
  CHECK(log_json(lines[0]) == R"({"agent":"plain","host":"alpha","msg":"Traceback \u001b[2J"})");
  CHECK(lines[1].fields.is_null());
  CHECK(lines[2].fields.is_null());
}

TEST_CASE("a JSON line is passed on as it was written") {
  LogReader reader("alpha", "digest");
  const auto raw = json("01.0", "info", "x", R"(,"b":1,"a":2)");
  CHECK(log_json(reader.read(raw)[0]) + "\n" == raw);
}

TEST_CASE("a level chooses it and worse, and a stack goes with the line before it") {
  LogReader reader("alpha", "digest");
  const auto first = json("01", "info", "a"), second = json("02", "error", "b"), third = json("03", "warn", "c");
  auto lines = reader.read("before all\n" + first + "after a\n" + second);
  for (auto& line : reader.read("after b\n" + third)) lines.push_back(std::move(line));
  LogFilter filter;
  CHECK(shown(lines, filter).size() == 6);
  filter.level = observe::Level::warn;
  const auto chosen = shown(lines, filter);
  REQUIRE(chosen.size() == 3);
  CHECK(chosen[1] == "after b");
}

TEST_CASE("since leaves out older lines and what goes with them") {
  LogReader reader("alpha", "digest");
  const auto lines = reader.read(json("01", "info", "a") + "after a\n" + json("02", "info", "b") + "after b\n");
  LogFilter filter;
  filter.since = "2026-11-20T08:00:02Z";
  const auto chosen = shown(lines, filter);
  REQUIRE(chosen.size() == 2);
  CHECK(chosen[1] == "after b");
}

TEST_CASE("lines of several logs are in order of time") {
  LogReader one("alpha", "a"), other("alpha", "b");
  auto lines = one.read(json("01", "info", "first") + "continued\n" + json("03", "info", "third"));
  for (auto& line : other.read(json("02", "info", "second"))) lines.push_back(std::move(line));
  sort_by_time(lines);
  CHECK(lines[1].raw == "continued");
  CHECK(lines[2].agent == "b");
}
